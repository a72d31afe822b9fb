import type { Clock } from '../../../shared/kernel/clock.ts';

/** How many seconds pass in a world in one real second. */
const SPEED = 200;

/** A clock that runs faster than real time, and timers that keep to it. */
export interface FastClock extends Clock {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  /** How much real time this much time in the world takes. For code that sets its own timers. */
  realMs(ms: number): number;
}

export function createFastClock(): FastClock {
  const startedAt = Date.now();
  const nowMs = () => Date.UTC(2026, 0, 1) + (Date.now() - startedAt) * SPEED;
  const realMs = (ms: number) => ms / SPEED;
  return {
    now: () => new Date(nowMs()),
    nowMs,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, realMs(ms))),
    realMs,
  };
}
