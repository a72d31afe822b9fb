import type { SentBatch } from '../import.ts';

/** Pages an import row remembers; beyond that the oldest are merged. */
export const BATCHES_MAX = 50;

export interface OverdueTimes {
  /** How long after sending a page its pending rows are sent again. */
  afterMs: number;
  /** The longest wait between two such times; it doubles up to here. */
  mostMs: number;
}

export function newBatch(from: number, to: number, now: Date, times: OverdueTimes): SentBatch {
  return { from, to, sentAt: now, dueAt: new Date(now.getTime() + times.afterMs), resent: 0 };
}

export function resentBatch(page: SentBatch, now: Date, times: OverdueTimes): SentBatch {
  const resent = page.resent + 1;
  const wait = Math.min(times.mostMs, times.afterMs * 2 ** resent);
  return { ...page, sentAt: now, dueAt: new Date(now.getTime() + wait), resent };
}

/**
 * Keeps the list short by merging its oldest neighbours. The merged page takes the later times: sending a row again too
 * late costs seconds, too early it costs a useless check.
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
