import type { SentBatch } from '../import.ts';

/** How many batches an import remembers. Beyond that, the oldest are merged. */
const BATCHES_MAX = 50;

export interface OverdueTimes {
  /** When a batch was sent this long ago, its pending rows are sent again. */
  afterMs: number;
  /** That time doubles with each repetition, up to this. */
  maxMs: number;
}

export function newBatch(from: number, to: number, now: Date, times: OverdueTimes): SentBatch {
  return { from, to, sentAt: now, dueAt: new Date(now.getTime() + times.afterMs), resent: 0 };
}

export function resentBatch(batch: SentBatch, now: Date, times: OverdueTimes): SentBatch {
  const resent = batch.resent + 1;
  const wait = Math.min(times.maxMs, times.afterMs * 2 ** resent);
  return { ...batch, sentAt: now, dueAt: new Date(now.getTime() + wait), resent };
}

/**
 * Keeps the list short by merging its oldest neighbors. The merged batch takes the later times: sending a row again too
 * late costs seconds, sending it too early costs a useless check.
 */
export function mergeBatches(batches: readonly SentBatch[]): SentBatch[] {
  const merged = [...batches].sort((a, b) => a.from - b.from);
  while (merged.length > BATCHES_MAX) {
    const [first, second, ...rest] = merged as [SentBatch, SentBatch, ...SentBatch[]];
    merged.splice(
      0,
      merged.length,
      {
        from: first.from,
        to: Math.max(first.to, second.to),
        sentAt: later(first.sentAt, second.sentAt),
        dueAt: later(first.dueAt, second.dueAt),
        resent: Math.max(first.resent, second.resent),
      },
      ...rest,
    );
  }
  return merged;
}

function later(one: Date, other: Date): Date {
  return new Date(Math.max(one.getTime(), other.getTime()));
}
