import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { sendExact } from '../support/fuzz/send-exact.ts';
import { plainTenant } from '../support/plain-tenant.ts';
import { residentMb } from '../support/resident-memory.ts';
import { useRunningStack } from '../support/running-stack.ts';

// Whole bodies that try to cost much. `unfinished-bodies.test.ts` has those that never end.

const unlimited = '1000000';
const running = useRunningStack(plainTenant(1), {
  settings: {
    REQUESTS_PER_KEY: unlimited,
    REQUESTS_PER_CUSTOMER: unlimited,
    CONNECTION_TESTS_PER_MINUTE: unlimited,
    CERTIFICATES_PER_MINUTE: unlimited,
  },
});

const ROUNDS = 10;
/** What a garbage collector may keep. Ten rounds have several times as many bytes. */
const GROWTH_MAX_MB = 200;
const ANSWER_MAX_LENGTH = 20_000;
/**
 * Nobody else is served while a body is parsed. The quickest of all rounds counts: a body that costs much is slow in each
 * of them, and a machine that does other things is not.
 */
const ANSWERED_WITHIN_MS = 2_000;

const MEBIBYTE = 1024 * 1024;
/** Repeats a piece until the body is as large as a JSON body may be. */
const fill = (start: string, piece: (n: number) => string, end: string) => {
  const pieces: string[] = [];
  for (let n = 0, length = start.length + end.length; length + piece(n).length <= MEBIBYTE; n++) {
    pieces.push(piece(n));
    length += piece(n).length;
  }
  return `${start}${pieces.join('')}${end}`;
};
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const parts = (count: number) =>
  `${Array.from({ length: count }, (_, n) => `--b\r\ncontent-disposition: form-data; name="f${n}"\r\n\r\nx\r\n`).join('')}--b--\r\n`;

interface Hostile {
  name: string;
  body: string | Uint8Array;
  status: number;
  type?: string;
  headers?: Record<string, string>;
  /** Only of the route that takes uploads. */
  uploads?: boolean;
}

const bodies: Hostile[] = [
  { name: '1 MiB of wrong mailboxes', body: fill('{"mailboxes":[1', () => ',1', ']}'), status: 400 },
  { name: '1 MiB of unknown fields', body: fill('{"k":1', (n) => `,"k${n}":1`, '}'), status: 400 },
  { name: '1 MiB of one field, again and again', body: fill('{"name":1', () => ',"name":1', '}'), status: 400 },
  { name: 'a name of 1 MiB', body: fill('{"name":"', () => 'x', '"}'), status: 400 },
  { name: 'one byte more than 1 MiB', body: `${fill('{"name":"', () => 'x', '"}')} `, status: 413 },
  { name: '20 levels', body: objects(20), status: 400 },
  { name: '500,000 levels', body: `${'['.repeat(500_000)}${']'.repeat(500_000)}`, status: 400 },
  { name: '500,000 levels that never close', body: '['.repeat(500_000), status: 400 },
  { name: 'a field twice', body: '{"name":"a","name":"b"}', status: 400 },
  { name: 'half of a surrogate pair', body: '{"name":"\\ud800"}', status: 400 },
  { name: 'bytes that are not UTF-8', body: Buffer.from('{"name":"\xff\xfe"}', 'latin1'), status: 400 },
  { name: '__proto__', body: '{"__proto__":{"mailboxes":[]},"constructor":{"prototype":{}}}', status: 400 },
  {
    name: 'a gzip bomb',
    body: gzipSync(Buffer.alloc(100 * MEBIBYTE)),
    headers: { 'content-encoding': 'gzip' },
    status: 415,
  },
  {
    name: 'a form of 10,000 parts',
    body: parts(10_000),
    type: 'multipart/form-data; boundary=b',
    uploads: true,
    status: 400,
  },
  { name: 'a CSV of 5 MiB in one line', body: 'x'.repeat(5 * MEBIBYTE), type: 'text/csv', uploads: true, status: 400 },
  {
    name: 'a CSV of a million blank lines',
    body: '\n'.repeat(1_000_000),
    type: 'text/csv',
    uploads: true,
    status: 400,
  },
];

it('every hostile body gets a small, clear answer soon, and memory stays flat', async () => {
  const { apiUrl } = running.stack.local();
  const { id } = await running.connect();
  const uploadPath = `/v1/connections/${id}/imports`;
  const quickest: Record<string, number> = {};

  async function sendAll(): Promise<void> {
    for (const { name, body, type = 'application/json', headers, status, uploads } of bodies) {
      for (const path of uploads ? [uploadPath] : ['/v1/connections', uploadPath]) {
        const sentAt = performance.now();
        const answer = await sendExact(apiUrl, {
          method: 'POST',
          path,
          headers: { authorization: `Bearer ${running.ownerKey}`, 'content-type': type, ...headers },
          body,
        });
        const ms = Math.round(performance.now() - sentAt);
        quickest[`${name} ${path}`] = Math.min(quickest[`${name} ${path}`] ?? ms, ms);
        const about = `${name} ${path} ${answer.text.slice(0, 300)}`;
        expect(answer.status, about).toBe(status);
        expect(answer.text.length, about).toBeLessThan(ANSWER_MAX_LENGTH);
        expect(answer.headers.get('content-type'), about).toBe('application/problem+json');
        expect(JSON.parse(answer.text), about).toMatchObject({ detail: expect.stringMatching(/.{20}/) });
      }
    }
  }

  // The first rounds load code and let the heap grow to its working size.
  for (let round = 0; round < ROUNDS; round++) await sendAll();
  const before = residentMb(running.stack.functions.pid());
  for (let round = 0; round < ROUNDS; round++) await sendAll();
  const after = residentMb(running.stack.functions.pid());
  console.log(JSON.stringify({ beforeMb: Math.round(before), afterMb: Math.round(after), quickest }, undefined, 2));
  expect(after - before).toBeLessThan(GROWTH_MAX_MB);
  for (const [name, ms] of Object.entries(quickest)) expect(ms, name).toBeLessThan(ANSWERED_WITHIN_MS);
  expect((await running.owner.expect<{ items: unknown[] }>(200, 'GET', uploadPath)).items).toEqual([]);
}, 300_000);
