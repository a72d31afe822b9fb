/** Signed changes, by what became of rows; `slotsFreed` counts the claimed slots that cancelled rows gave back. */
export interface TallyCounts {
  waiting: number;
  passed: number;
  failed: number;
  inconclusive: number;
  cancelled: number;
  slotsFreed: number;
}

/**
 * What one writer has settled of one import so far. The sum over all writers is the truth; each is written only by the
 * one process that began it, in the transaction that settles the rows it counts.
 */
export interface Tally {
  importId: string;
  /** A random id of a process start, and a number: a tally whose last write is in doubt is left alone for a new one. */
  writer: string;
  counts: TallyCounts;
}

export const zeroCounts: Readonly<TallyCounts> = {
  waiting: 0,
  passed: 0,
  failed: 0,
  inconclusive: 0,
  cancelled: 0,
  slotsFreed: 0,
};

export function addCounts(left: TallyCounts, right: Partial<TallyCounts>): TallyCounts {
  const sum = { ...left };
  for (const key of Object.keys(zeroCounts) as (keyof TallyCounts)[]) sum[key] += right[key] ?? 0;
  return sum;
}

export function sumTallies(tallies: readonly Tally[]): TallyCounts {
  return tallies.reduce((sum, tally) => addCounts(sum, tally.counts), { ...zeroCounts });
}

export function countSettled(counts: TallyCounts): number {
  return counts.passed + counts.failed + counts.inconclusive + counts.cancelled;
}
