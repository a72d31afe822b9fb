import { get, type IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { OPERATOR_KEY } from '../support/api.ts';
import { useEdgeApp } from '../support/edge-app.ts';

// Only real sockets show whether a download or a stream of events waits for its client, and what the client sees.

const authorization = `Bearer ${OPERATOR_KEY}`;
const CHUNK_BYTES = 65_536;
/** Far more than all buffers between the function and a client that reads nothing. */
const ENDLESS = 20_000;
/** What the sockets between the function and the client may hold: its own, two of the host, the client's. */
const BUFFERED_MAX = 400;

interface Source {
  chunks: number;
  isOver: boolean;
  events: { event: string; how: string; bytes: number }[];
}

const host = useEdgeApp();

const source = async () => (await fetch(`${host.url}/source`)).json() as Promise<Source>;
const lastEnd = async () => (await source()).events.at(-1);

/** Opens a download and reads nothing of it. */
function open(query: string, path = 'downloads'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${host.url}/v1/${path}?${query}`, { headers: { authorization }, agent: false }, resolve).on('error', reject);
  });
}

it('200: a download arrives whole', async () => {
  const answer = await fetch(`${host.url}/v1/downloads?chunks=300`, { headers: { authorization } });
  expect((await answer.arrayBuffer()).byteLength).toBe(300 * CHUNK_BYTES);
  await expect.poll(lastEnd).toMatchObject({ event: 'download_ended', how: 'complete', bytes: 300 * CHUNK_BYTES });
});

it('a client that reads nothing stops the reading of the source, and when it leaves, the reading ends', async () => {
  const answer = await open(`chunks=${ENDLESS}`);
  let before = -1;
  await expect
    .poll(
      async () => {
        const { chunks } = await source();
        const isStill = chunks === before;
        before = chunks;
        return isStill;
      },
      { interval: 300, timeout: 20_000 },
    )
    .toBe(true);
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(BUFFERED_MAX);
  expect((await source()).isOver).toBe(false);
  answer.destroy();
  await expect.poll(async () => (await source()).isOver).toBe(true);
  await expect.poll(lastEnd).toMatchObject({ how: 'left' });
});

it('a source that fails midway breaks the connection: no client takes a part for the whole', async () => {
  const answer = await fetch(`${host.url}/v1/downloads?chunks=100&failAt=50`, { headers: { authorization } });
  expect(answer.status).toBe(200);
  await expect(answer.arrayBuffer()).rejects.toThrow();
  await expect.poll(lastEnd).toMatchObject({ how: 'failed', bytes: 50 * CHUNK_BYTES });
});

it('429: one download more than a caller may have open, until one of them has ended; other requests are served', async () => {
  const slow = [await open(`chunks=${ENDLESS}`), await open(`chunks=${ENDLESS}`)];
  const refused = await fetch(`${host.url}/v1/downloads?chunks=1`, { headers: { authorization } });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
  const others = Array.from({ length: 8 }, () => fetch(`${host.url}/v1/customers`, { headers: { authorization } }));
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  for (const one of slow) one.destroy();
  const again = () => fetch(`${host.url}/v1/downloads?chunks=1`, { headers: { authorization } });
  await expect.poll(async () => (await again()).status).toBe(200);
});

it('200: an event arrives immediately, and the source stops when the client leaves', async () => {
  const answer = await open('', 'events');
  expect(answer.headers['content-type']).toBe('text/event-stream');
  let text = '';
  answer.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await expect.poll(() => text).toBe('retry: 2000\n\nevent: chunk\nid: 1\ndata: ""\n\n');
  expect((await source()).isOver).toBe(false);
  answer.destroy();
  await expect.poll(async () => (await source()).isOver).toBe(true);
  await expect.poll(lastEnd).toMatchObject({ event: 'event_stream_ended', how: 'left' });
});

it('a client that takes no events stops the source, which goes on when the client does', async () => {
  const answer = await open(`size=${CHUNK_BYTES}`, 'events');
  const taken = async () => (await source()).chunks;
  let before = -1;
  const isStill = async () => {
    const last = before;
    before = await taken();
    return before === last;
  };
  await expect.poll(isStill, { interval: 300, timeout: 20_000 }).toBe(true);
  expect(before).toBeLessThan(BUFFERED_MAX);
  answer.resume();
  await expect.poll(taken, { timeout: 20_000 }).toBeGreaterThan(before + BUFFERED_MAX);
  answer.destroy();
  await expect.poll(async () => (await source()).isOver).toBe(true);
});
