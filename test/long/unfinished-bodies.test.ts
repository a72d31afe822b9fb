import { beforeAll, expect, it } from 'vitest';
import { plainTenant } from '../support/plain-tenant.ts';
import { type RawAnswer, sendRaw } from '../support/raw-request.ts';
import { residentMb } from '../support/resident-memory.ts';
import { useRunningStack } from '../support/running-stack.ts';

// A body that never ends holds a connection and an invocation. Each must end by itself, soon, and leave nothing behind.

/** The app waits 60 s for a body. A busy machine needs some more. */
const ANSWERED_WITHIN_MS = 90_000;
/** What a garbage collector may keep. All bodies of one round together are larger. */
const GROWTH_MAX_MB = 150;
/** A connection receives one file at a time. The others are refused with 409 while one of them is received. */
const BUSY = [409];
/** For each route. */
const SENDERS = 10;

const running = useRunningStack(plainTenant(1));
let routes: { path: string; contentType: string }[];

beforeAll(async () => {
  const { id } = await running.connect();
  routes = [
    { path: '/v1/connections', contentType: 'application/json' },
    { path: `/v1/connections/${id}/imports`, contentType: 'text/csv' },
    { path: `/v1/connections/${id}/imports`, contentType: 'application/json' },
  ];
});

type Route = (typeof routes)[number];
const CHUNKED = 'Transfer-Encoding: chunked';
const megabytes = 'x'.repeat(3_000_000);

function send(route: Route, length: string, pieces: string[], options: Parameters<typeof sendRaw>[3] = {}) {
  const { apiUrl } = running.stack.local();
  const head = [
    `POST ${route.path} HTTP/1.1`,
    `Host: ${new URL(apiUrl).host}`,
    `Authorization: Bearer ${running.ownerKey}`,
    `Content-Type: ${route.contentType}`,
    length,
  ];
  return sendRaw(apiUrl, head, pieces, options);
}

const onEveryRoute = async (sendOne: (route: Route) => Promise<RawAnswer>) =>
  Promise.all(routes.flatMap((route) => Array.from({ length: SENDERS }, () => sendOne(route))));

const breakOff = () =>
  onEveryRoute((route) => send(route, 'Content-Length: 5000000', [megabytes], { thenClose: true }));

const memoryMb = () => residentMb(running.stack.functions.pid());

async function expectStillWorking(): Promise<void> {
  expect((await running.owner.call('GET', '/v1/me')).status).toBe(200);
}

function expectRefused(answers: readonly RawAnswer[], statuses: readonly (number | 'closed')[]): void {
  for (const { status, text, afterMs } of answers) {
    expect(statuses, text).toContain(status);
    expect(text.length).toBeLessThan(2_000);
    // The host itself answers malformed HTTP with an empty 400, before the app sees the request.
    if (status === 400 && !/content-length: 0\r\n/i.test(text)) expect(text).toMatch(/"detail":"[^"]{20,}"/);
    expect(afterMs).toBeLessThan(ANSWERED_WITHIN_MS);
  }
}

it(
  'a body that stops, drips or never ends is refused in time, and memory stays flat',
  async () => {
    // The first requests load code and let the heap grow to its working size.
    await breakOff();
    const before = memoryMb();
    const [stopped, dripping, withoutBody, endless] = await Promise.all([
      onEveryRoute((route) => send(route, 'Content-Length: 4000000', ['email_address\n'])),
      onEveryRoute((route) => send(route, 'Content-Length: 1000', [...'0123456789'], { everyMs: 1_000 })),
      onEveryRoute((route) => send(route, 'Content-Length: 90000000', [])),
      onEveryRoute((route) => send(route, CHUNKED, ['5\r\nemail\r\n'])),
    ]);
    // The host reads a body of known length before it invokes a function.
    for (const answers of [stopped, dripping, withoutBody]) expectRefused(answers, [408]);
    expectRefused(endless, [400, ...BUSY]);
    expect(memoryMb() - before).toBeLessThan(GROWTH_MAX_MB);
    await expectStillWorking();
  },
  2 * ANSWERED_WITHIN_MS,
);

it('413: a Content-Length above the limit of the host is refused without waiting for the body', async () => {
  const answers = await onEveryRoute((route) => send(route, 'Content-Length: 999999999999', []));
  expectRefused(answers, [413]);
  for (const { afterMs } of answers) expect(afterMs).toBeLessThan(30_000);
});

it('a body that breaks off ends its request, however often, and memory stays flat', async () => {
  // The host holds what has arrived of a body. The first rounds let its memory grow to what that takes.
  for (let i = 0; i < 3; i++) await breakOff();
  const before = memoryMb();
  for (let i = 0; i < 3; i++) expectRefused(await breakOff(), [400, ...BUSY, 413, 'closed']);
  expect(memoryMb() - before).toBeLessThan(GROWTH_MAX_MB);
  await expectStillWorking();
});

it('malformed chunks, and a length together with chunks, end the request', async () => {
  const malformed = await onEveryRoute((route) => send(route, CHUNKED, ['zz\r\nnot a length\r\n']));
  expectRefused(malformed, [400, ...BUSY, 413, 'closed']);
  const twoLengths = await onEveryRoute((route) => send(route, `Content-Length: 5\r\n${CHUNKED}`, ['0\r\n\r\n']));
  expectRefused(twoLengths, [400, ...BUSY, 'closed']);
  await expectStillWorking();
});

it('no unfinished body left an import or a connection behind', async () => {
  const [, , { path } = { path: '' }] = routes;
  expect((await running.owner.expect<{ items: unknown[] }>(200, 'GET', path)).items).toEqual([]);
  expect((await running.owner.expect<{ items: unknown[] }>(200, 'GET', '/v1/connections')).items).toHaveLength(1);
});
