import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { withHeartbeat } from '../../../shared/kernel/with-heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('beats while the work goes on, even after a beat that failed, and not afterwards', async () => {
  const work = Promise.withResolvers<void>();
  let beats = 0;
  const done = withHeartbeat(
    10,
    async () => {
      beats++;
      if (beats === 1) throw new Error('Storage does not answer.');
    },
    () => work.promise,
  );
  await vi.advanceTimersByTimeAsync(35);
  expect(beats).toBe(3);
  work.resolve();
  await done;
  await vi.advanceTimersByTimeAsync(100);
  expect(beats).toBe(3);
});

it('waits for the last beat, and rejects as the work does', async () => {
  const work = Promise.withResolvers<void>();
  const beat = Promise.withResolvers<void>();
  let settled = false;
  const done = withHeartbeat(
    10,
    () => beat.promise,
    () => work.promise,
  ).finally(() => {
    settled = true;
  });
  const refused = expect(done).rejects.toThrow('The work failed.');
  await vi.advanceTimersByTimeAsync(10);
  work.reject(new Error('The work failed.'));
  await vi.advanceTimersByTimeAsync(0);
  expect(settled).toBe(false);
  beat.resolve();
  await refused;
});
