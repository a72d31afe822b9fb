import type { CauseTallies } from './cause-tally.ts';
import type { WorkerReport } from './worker-report.ts';

/**
 * Signed changes by row state. `held` counts the waiting rows whose refusal may concern every mailbox. `slotsFreed`
 * counts the slots that mailboxes gave back, because they failed or their row was cancelled. `reopened` counts the rows
 * that were opened again, with a slot each.
 */
export interface TallyCounts {
  waiting: number;
  held: number;
  passed: number;
  failed: number;
  inconclusive: number;
  cancelled: number;
  slotsFreed: number;
  reopened: number;
}

/**
 * What one writer has settled of one import so far. The import's counts are the sum over all writers. Each tally is
 * written only by the process that created it, in the same transaction as the rows it counts.
 */
export interface Tally {
  importId: string;
  /** A random id of the process start, and a number. When a write is in doubt, the writer starts a new tally. */
  writer: string;
  counts: TallyCounts;
  /** Its rows that failed or are inconclusive, by cause. */
  causes?: CauseTallies;
  report?: WorkerReport;
  /** How many batches of settled rows this writer has written, and when it wrote the last one. See `settled-batch.ts`. */
  settledBatches?: number;
  settledAt?: Date;
}

export const zeroCounts: Readonly<TallyCounts> = {
  waiting: 0,
  held: 0,
  passed: 0,
  failed: 0,
  inconclusive: 0,
  cancelled: 0,
  slotsFreed: 0,
  reopened: 0,
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

/** The newest report of each process. Its older tallies repeat what the newest one says. */
export function newestReports(tallies: readonly Tally[]): WorkerReport[] {
  const newest = new Map<string, { serial: number; report: WorkerReport }>();
  for (const { writer, report } of tallies) {
    if (!report) continue;
    const [process = '', serial = '0'] = writer.split('.');
    if ((newest.get(process)?.serial ?? -1) < Number(serial)) newest.set(process, { serial: Number(serial), report });
  }
  return [...newest.values()].map(({ report }) => report);
}
