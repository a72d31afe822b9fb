import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, it } from 'vitest';
import { containers } from '../../shared/kernel/storage-names.ts';
import { plainTenant } from '../support/plain-tenant.ts';
import { residentMb } from '../support/resident-memory.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { sheetOf, workbookOf, workbookParts, zipOf } from '../support/workbook.ts';

// Files that try to cost much. `hostile-bodies.test.ts` has hostile bodies of all routes.

const MEGABYTE = 1_000_000;
const REJECTED_ROWS_MAX = 50_000;
const running = useRunningStack(plainTenant(1), { settings: { REJECTED_ROWS_MAX: String(REJECTED_ROWS_MAX) } });

/** What a garbage collector may keep. The files have up to 200 MB. */
const GROWTH_MAX_MB = 200;

interface HostileFile {
  name: string;
  start?: string | Uint8Array;
  /** Repeated behind the start. */
  piece?: string;
  bytes?: number;
  hasLength?: boolean;
  query?: string;
  status: number;
  code?: string;
  detail?: RegExp;
  /**
   * How much of the file may be sent before the answer. The app itself reads a refused body to its end, because most
   * clients read the answer only then.
   */
  sentMaxBytes?: number;
}

const bomb = sheetOf(`<row r="1"/>${' '.repeat(100 * MEGABYTE)}`);

const files: HostileFile[] = [
  {
    name: '200 MB that say so',
    start: 'email\n',
    piece: 'a@contoso.com\n',
    bytes: 200 * MEGABYTE,
    hasLength: true,
    // The Functions host refuses this itself, without a body.
    status: 413,
    // Most of it stays unsent. How much the sockets hold by then depends on how busy the machine is.
    sentMaxBytes: 100 * MEGABYTE,
  },
  {
    name: '102 MB that say so',
    start: 'email\n',
    piece: 'a@contoso.com\n',
    bytes: 102 * MEGABYTE,
    hasLength: true,
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: '200 MB that do not say so',
    start: 'email,x\n',
    piece: `a@contoso.com,${'x'.repeat(1_000)}\n`,
    bytes: 200 * MEGABYTE,
    query: '?dryRun=true',
    // The Functions host counts, too, and its limit is near ours.
    status: 413,
  },
  {
    name: '102 MB that do not say so',
    start: 'email,x\n',
    piece: `a@contoso.com,${'x'.repeat(1_000)}\n`,
    bytes: 102 * MEGABYTE,
    query: '?dryRun=true',
    status: 413,
    code: 'payload_too_large',
    detail: /100000000 bytes/,
  },
  {
    name: 'a quoted field of 50 MB',
    start: 'email,name\na@contoso.com,"',
    piece: 'x',
    bytes: 50 * MEGABYTE,
    status: 400,
    code: 'file_malformed',
    detail: /line 2 is not closed/,
  },
  {
    name: 'a line of 50 MB',
    start: 'email,name\na@contoso.com,',
    piece: 'x',
    bytes: 50 * MEGABYTE,
    query: '?dryRun=true',
    status: 200,
  },
  {
    name: 'a ZIP archive under the name of a CSV',
    start: zipOf([{ name: 'mailboxes.csv', content: 'email\na@contoso.com\n' }]),
    status: 400,
    code: 'file_not_text',
    detail: /ZIP archive.*mailboxes\.csv/,
  },
  {
    name: 'a workbook that unpacks to 100 MB',
    start: workbookOf({ sheet: bomb }),
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'a workbook that states less than it unpacks to',
    start: zipOf(
      workbookParts({ sheet: bomb }).map((part) =>
        part.content === bomb ? { ...part, stated: { size: 90_000 } } : part,
      ),
    ),
    status: 400,
    code: 'file_malformed',
    detail: /cannot be unpacked/,
  },
  {
    name: '100 MB that begin like a workbook',
    start: 'PK\x03\x04',
    piece: 'x',
    bytes: 100 * MEGABYTE,
    status: 413,
    code: 'payload_too_large',
    detail: /50000000 bytes/,
  },
  { name: 'a million empty lines', piece: '\n', bytes: MEGABYTE, status: 400, code: 'file_empty' },
  {
    name: 'a million rejected rows',
    start: 'email\n',
    piece: 'nobody\n',
    bytes: 7 * MEGABYTE,
    status: 409,
    code: 'quota_reached',
    detail: /50000/,
  },
  {
    name: 'a million rejected rows in a dry run',
    start: 'email\n',
    piece: 'nobody\n',
    bytes: 7 * MEGABYTE,
    query: '?dryRun=true',
    status: 200,
  },
];

it('every hostile file gets a clear answer as soon as it can be known, memory stays flat, and no refused file is stored', async () => {
  const { apiUrl, storage } = running.stack.local();
  const { id } = await running.connect();
  const uploads = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
    containers.uploads,
  );
  const about: Record<string, string> = {};
  /** What dry runs have kept, so that an import can start from it. */
  const kept: string[] = [];

  async function sendAll(): Promise<void> {
    for (const file of files) {
      const sentAt = performance.now();
      const send = () => sendInTurn(`${apiUrl}/v1/connections/${id}/imports${file.query ?? ''}`, file);
      let answer = await send();
      // A storage that a busy machine slows down is told as such, and the client tries again.
      for (let tries = 1; tries < 5 && answer.text.includes('"storage_unavailable"'); tries++) answer = await send();
      about[file.name] =
        `${answer.status}, ${Math.round(performance.now() - sentAt)} ms, ${(answer.sent / MEGABYTE).toFixed(1)} MB sent`;
      expect(answer.status, `${file.name} ${answer.text.slice(0, 500)}`).toBe(file.status);
      const body = JSON.parse(answer.text || '{}');
      if (answer.status === 200) kept.push(`${body.uploadId}`.replace('upl_', 'imp_'));
      if (file.code) expect(body, file.name).toMatchObject({ code: file.code });
      if (file.detail) expect(body.detail, file.name).toMatch(file.detail);
      if (file.name === 'a million rejected rows in a dry run') expect(body).toMatchObject({ rejected: MEGABYTE });
      if (file.sentMaxBytes) expect(answer.sent, file.name).toBeLessThan(file.sentMaxBytes);
    }
  }

  // The first round loads code and lets the heap grow to its working size.
  await sendAll();
  const before = residentMb(running.stack.functions.pid());
  await sendAll();
  const after = residentMb(running.stack.functions.pid());
  console.log(JSON.stringify({ beforeMb: Math.round(before), afterMb: Math.round(after), about }, undefined, 2));
  expect(after - before).toBeLessThan(GROWTH_MAX_MB);
  expect((await running.owner.expect<{ items: unknown[] }>(200, 'GET', `/v1/connections/${id}/imports`)).items).toEqual(
    [],
  );
  const stored = (await Array.fromAsync(uploads.listBlobsFlat())).map(({ name }) => name.split('/').at(-1));
  expect(stored.sort()).toEqual(kept.sort());
}, 240_000);

/** The host answers for itself while the app may still be busy with the file before. */
async function sendInTurn(url: string, file: HostileFile): ReturnType<typeof send> {
  for (;;) {
    const answer = await send(url, file);
    if (!answer.text.includes('upload_in_progress')) return answer;
    await pause(1_000);
  }
}

/** Sends a file piece by piece, until it has an answer. */
function send(url: string, { start = '', piece, bytes = 0, hasLength }: HostileFile) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string; sent: number }>();
  const headers = {
    authorization: `Bearer ${running.ownerKey}`,
    'content-type': 'text/csv',
    ...(hasLength && { 'content-length': String(bytes) }),
  };
  let sent = 0;
  let isAnswered = false;
  const upload = request(url, { method: 'POST', headers }, async (response) => {
    isAnswered = true;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), sent });
    if (!upload.writableEnded) upload.destroy();
  });
  upload.on('error', reject);
  const chunk = Buffer.from(piece ? piece.repeat(Math.ceil(65_536 / piece.length)) : '');
  const body = Buffer.from(start as string);
  upload.write(body);
  sent += body.length;
  const write = (): void => {
    while (!isAnswered) {
      if (sent >= bytes) {
        upload.end();
        return;
      }
      const next = chunk.subarray(0, bytes - sent);
      sent += next.length;
      if (!upload.write(next)) {
        upload.once('drain', write);
        return;
      }
    }
  };
  write();
  return promise;
}
