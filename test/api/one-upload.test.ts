import { beforeEach, expect, it } from 'vitest';
import { createApi } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aConnection } from '../support/records.ts';

const CSV = 'email\na@tailspin.example\n';

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
  const clientIds = { conn_1: aConnection().clientId, conn_2: '0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02' };
  for (const [id, clientId] of Object.entries(clientIds)) {
    await api.deps.connections.insert(aConnection({ id, clientId, customerId: acme.id }));
  }
});

interface Upload {
  raw?: string | AsyncIterable<Uint8Array>;
  query?: string;
  connectionId?: string;
  type?: string;
  idempotencyKey?: string;
}

function upload({ raw = CSV, query = '', connectionId = 'conn_1', type = 'text/csv', idempotencyKey }: Upload = {}) {
  const body =
    typeof raw === 'string'
      ? (async function* () {
          yield Buffer.from(raw);
        })()
      : raw;
  return api.request('POST', `/v1/connections/${connectionId}/imports${query}`, {
    key: acme.key,
    raw: body,
    headers: { 'content-type': type, ...(idempotencyKey && { 'idempotency-key': idempotencyKey }) },
  });
}

/** An upload that has sent its first line and waits. */
async function holdUpload(of: Omit<Upload, 'raw'> = {}) {
  let finish = (_last?: Buffer) => {};
  const rest = new Promise<Buffer | undefined>((resolve) => {
    finish = resolve;
  });
  let started = () => {};
  const isStarted = new Promise<void>((resolve) => {
    started = resolve;
  });
  async function* body() {
    started();
    yield Buffer.from(CSV);
    const last = await rest;
    if (last) yield last;
  }
  const answer = upload({ ...of, raw: body() });
  await isStarted;
  return { answer, finish: (last?: string) => finish(last === undefined ? undefined : Buffer.from(last)) };
}

const codeOf = async (response: Awaited<ReturnType<typeof upload>>) => (await jsonOf<{ code?: string }>(response)).code;

it.each([
  ['an import', ''],
  ['a dry run', '?dryRun=true'],
])('409: a second upload to the same connection while one is running: %s', async (_, query) => {
  const first = await holdUpload({ query });
  const refused = await upload();
  expect(refused.status).toBe(409);
  expect(refused.headers.get('retry-after')).toBe('2');
  expect(await codeOf(refused)).toBe('upload_in_progress');
  expect((await upload({ query: '?dryRun=true' })).status).toBe(409);
  expect((await upload({ connectionId: 'conn_2' })).status).toBe(202);
  first.finish();
  expect((await first.answer).status).toBe(query ? 200 : 202);
  expect((await upload({ raw: 'email\nb@tailspin.example\n' })).status).toBe(202);
  expect(api.deps.uploadLeases.held()).toEqual([]);
});

it('202: a list in JSON is no file, and is accepted beside one', async () => {
  const first = await holdUpload();
  const list = JSON.stringify({ mailboxes: [{ address: 'c@tailspin.example' }] });
  expect((await upload({ raw: list, type: 'application/json' })).status).toBe(202);
  first.finish();
  await first.answer;
});

it('400: an upload that is refused frees the connection immediately', async () => {
  const broken = await holdUpload();
  broken.finish('"never closed');
  expect((await broken.answer).status).toBe(400);
  expect((await upload()).status).toBe(202);
});

it('202: replays an answer while another upload is running, and does not remember the 409', async () => {
  const done = await upload({ idempotencyKey: 'one' });
  const first = await holdUpload();
  const replayed = await upload({ idempotencyKey: 'one' });
  expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
  expect((await jsonOf<{ id: string }>(replayed)).id).toBe((await jsonOf<{ id: string }>(done)).id);
  const raw = 'email\nd@tailspin.example\n';
  expect((await upload({ raw, idempotencyKey: 'two' })).status).toBe(409);
  first.finish();
  await first.answer;
  const retried = await upload({ raw, idempotencyKey: 'two' });
  expect([retried.status, retried.headers.get('idempotency-replayed')]).toEqual([202, null]);
});
