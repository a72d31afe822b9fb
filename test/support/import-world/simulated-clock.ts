import { setImmediate as afterMicrotasks } from 'node:timers/promises';
import type { Clock } from '../../../shared/kernel/clock.ts';

/** A clock whose time passes only in `step`, so that hours take no longer than what happens in them. */
export interface SimulatedClock extends Clock {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  /** Lets time pass until the next sleeper wakes, and everything that follows from that has happened. */
  step(): Promise<void>;
}

interface Sleeper {
  wakesAt: number;
  serial: number;
  wake(): void;
}

export function createSimulatedClock(): SimulatedClock {
  const sleepers = createHeap();
  let nowMs = Date.UTC(2026, 0, 1);
  let serial = 0;
  return {
    now: () => new Date(nowMs),
    nowMs: () => nowMs,
    sleep: (ms) => new Promise((wake) => sleepers.push({ wakesAt: nowMs + Math.max(0, ms), serial: ++serial, wake })),
    async step() {
      const next = sleepers.pop();
      if (!next) throw new Error('nothing will ever happen again');
      nowMs = Math.max(nowMs, next.wakesAt);
      next.wake();
      await afterMicrotasks();
    },
  };
}

/** A binary heap: the sleeper that wakes first, and of those that wake together, the one that fell asleep first. */
function createHeap() {
  const items: Sleeper[] = [];
  const isBefore = (one: Sleeper, other: Sleeper) =>
    one.wakesAt < other.wakesAt || (one.wakesAt === other.wakesAt && one.serial < other.serial);
  const at = (i: number) => items[i] as Sleeper;
  return {
    push(item: Sleeper): void {
      let i = items.push(item) - 1;
      for (let parent = (i - 1) >> 1; i > 0 && isBefore(item, at(parent)); parent = (i - 1) >> 1) {
        items[i] = at(parent);
        i = parent;
      }
      items[i] = item;
    },
    pop(): Sleeper | undefined {
      const first = items[0];
      const last = items.pop();
      if (!last || items.length === 0) return first;
      let i = 0;
      for (let child = 1; child < items.length; child = 2 * i + 1) {
        if (child + 1 < items.length && isBefore(at(child + 1), at(child))) child++;
        if (!isBefore(at(child), last)) break;
        items[i] = at(child);
        i = child;
      }
      items[i] = last;
      return first;
    },
  };
}
