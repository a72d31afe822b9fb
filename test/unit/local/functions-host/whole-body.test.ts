import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readWholeBody } from '../../../../local/functions-host/whole-body.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function receiving(length: number | undefined) {
  const headers = length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) };
  const req = Object.assign(new PassThrough(), { headers });
  const body = readWholeBody(req);
  body.catch(() => undefined);
  return { req, body };
}

test('a body of known length is read whole, and a chunked one not at all', async () => {
  const { req, body } = receiving(6);
  req.write('abc');
  req.end('def');
  expect((await body)?.toString()).toBe('abcdef');
  expect(await receiving(undefined).body).toBeUndefined();
  expect(await receiving(0).body).toBeUndefined();
});

test('a body that is too slow on average is given up after five seconds, and a fast one is not', async () => {
  const slow = receiving(10_000);
  const fast = receiving(1_000_000);
  slow.req.write('abc');
  for (let second = 0; second < 60; second++) {
    fast.req.write('x'.repeat(300));
    await vi.advanceTimersByTimeAsync(1_000);
    if (second === 3) await expect(Promise.race([slow.body, 'pending'])).resolves.toBe('pending');
  }
  await expect(slow.body).rejects.toMatchObject({ isSlow: true });
  fast.req.end();
  expect(await fast.body).toHaveLength(60 * 300);
});

test('a body that stops is given up after 230 seconds', async () => {
  const { req, body } = receiving(1_000_000);
  req.write('x'.repeat(500_000));
  await vi.advanceTimersByTimeAsync(229_000);
  await expect(Promise.race([body, 'pending'])).resolves.toBe('pending');
  await vi.advanceTimersByTimeAsync(4_000);
  await expect(body).rejects.toMatchObject({ isSlow: true });
});

test('a client that disconnects is told from one that is slow', async () => {
  const { req, body } = receiving(10);
  req.destroy();
  await expect(body).rejects.toMatchObject({ isSlow: false });
});
