import type { SingletonOptions } from './host-json.ts';

/** A lock that several hosts share. Each method rejects while storage is unavailable. */
export interface LockBlob {
  /** Resolves to whether this host now holds the lock, for this time or until it is renewed. */
  acquire(periodMs: number): Promise<boolean>;
  /** Resolves to whether this host still holds the lock. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface Stoppable {
  /** Resolves once the work has stopped. */
  stop(): Promise<void>;
}

interface LockedWork {
  start(): Stoppable;
  /** Receives the errors of storage. */
  onError(error: unknown): void;
}

const RETRY_MS = 1_000;

/**
 * Runs work while this host holds the lock, like a singleton listener of the platform: it tries to get the lock at its
 * start and then at intervals, renews it at half of its time, and stops the work if it is lost.
 */
export function whileLocked(lock: LockBlob, options: SingletonOptions, work: LockedWork): Stoppable {
  let isStopping = false;
  let wake: () => void = () => undefined;

  function pause(ms: number): Promise<void> {
    if (isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function attempt(call: () => Promise<boolean>): Promise<boolean | 'unavailable'> {
    try {
      return await call();
    } catch (error) {
      work.onError(error);
      return 'unavailable';
    }
  }

  /** Resolves when the lock is lost, or when the host stops. */
  async function keep(acquiredAt: number): Promise<void> {
    let renewedAt = acquiredAt;
    let waitMs = options.lockPeriodMs / 2;
    while (!isStopping) {
      await pause(waitMs);
      if (isStopping) return;
      const startedAt = Date.now();
      const isHeld = await attempt(() => lock.renew());
      if (isHeld === false) return;
      // Storage may answer again before another host can get the lock.
      if (isHeld === 'unavailable' && Date.now() - renewedAt + RETRY_MS > options.lockPeriodMs) return;
      if (isHeld === true) renewedAt = startedAt;
      waitMs = isHeld === true ? options.lockPeriodMs / 2 : RETRY_MS;
    }
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      const startedAt = Date.now();
      const isHeld = await attempt(() => lock.acquire(options.lockPeriodMs));
      if (isHeld === true) {
        const running = work.start();
        await keep(startedAt);
        await running.stop();
        if (isStopping) await attempt(() => lock.release().then(() => true));
      } else await pause(isHeld === 'unavailable' ? RETRY_MS : options.recoveryPollingMs);
    }
  }

  const ended = run();
  return {
    async stop() {
      isStopping = true;
      wake();
      await ended;
    },
  };
}
