import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type LockBlob, whileLocked } from '../../../../local/functions-host/singleton-lock.ts';

const options = { lockPeriodMs: 60_000, recoveryPollingMs: 60_000 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A lease that ends 60 seconds after it was acquired or renewed. */
function sharedLease() {
  let holder: string | undefined;
  let until = 0;
  let isAvailable = true;
  const requireStorage = () => {
    if (!isAvailable) throw new Error('no storage');
  };
  const hold = (name: string): boolean => {
    requireStorage();
    if (holder !== name && Date.now() < until) return false;
    holder = name;
    until = Date.now() + options.lockPeriodMs;
    return true;
  };
  const lockOf = (name: string): LockBlob => ({
    acquire: async () => hold(name),
    renew: async () => {
      requireStorage();
      return holder === name && hold(name);
    },
    release: async () => {
      requireStorage();
      if (holder === name) until = 0;
    },
  });
  return {
    lockOf,
    setAvailable: (available: boolean) => {
      isAvailable = available;
    },
  };
}

function worker(lock: LockBlob) {
  const state = { isRunning: false, starts: 0 };
  const lockedWork = whileLocked(lock, options, {
    start() {
      state.isRunning = true;
      state.starts++;
      return {
        async stop() {
          state.isRunning = false;
        },
      };
    },
    onError: () => undefined,
  });
  return { state, stop: lockedWork.stop };
}

test('one of two hosts works, and the other one takes over soon after the first has stopped', async () => {
  const lease = sharedLease();
  const first = worker(lease.lockOf('first'));
  const second = worker(lease.lockOf('second'));
  await vi.advanceTimersByTimeAsync(600_000);
  expect([first.state, second.state]).toEqual([
    { isRunning: true, starts: 1 },
    { isRunning: false, starts: 0 },
  ]);
  await first.stop();
  expect(first.state.isRunning).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(second.state).toEqual({ isRunning: true, starts: 1 });
  await second.stop();
});

test('a host that dies is replaced when its lock has ended, and not earlier', async () => {
  const lease = sharedLease();
  expect(await lease.lockOf('dead').acquire(options.lockPeriodMs)).toBe(true);
  const other = worker(lease.lockOf('other'));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(other.state.starts).toBe(0);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(other.state.isRunning).toBe(true);
  await other.stop();
});

test('a short outage of storage stops nothing, and a long one stops the work before another host can have the lock', async () => {
  const lease = sharedLease();
  const host = worker(lease.lockOf('first'));
  await vi.advanceTimersByTimeAsync(1_000);
  lease.setAvailable(false);
  await vi.advanceTimersByTimeAsync(40_000);
  lease.setAvailable(true);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(host.state).toEqual({ isRunning: true, starts: 1 });
  lease.setAvailable(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(host.state).toEqual({ isRunning: false, starts: 1 });
  lease.setAvailable(true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(host.state).toEqual({ isRunning: true, starts: 2 });
  await host.stop();
});
