import type { Clock } from '../../kernel/clock.ts';
import { type Import, isEnded } from '../import.ts';
import { type ExplainedWait, explainWait } from '../import-wait.ts';
import { type Counts, countRows } from '../ledger/counts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { sumTallies } from '../ledger/tally.ts';
import { estimateSecondsLeft } from './time-left.ts';

export interface Progress {
  record: Import;
  counts: Counts;
  /** How many of the planned rows have a finding with each code. */
  findingCounts: Record<string, number>;
  /**
   * Share of the accepted rows that are settled, in steps of 0.1. 100 only when all are. Of an action: share of its
   * mailboxes that nothing is to be done with any more, and 100 only at its end.
   */
  percent: number;
  /** About how long it still takes. `null` as long as nobody knows. */
  secondsLeft: number | null;
  /** What the import waits for, if it is running. `null` if it goes on. */
  waitingFor: ExplainedWait | null;
}

export interface ProgressDeps {
  ledger: Pick<Ledger, 'getPlan' | 'listTallies'>;
  clock: Clock;
}

/**
 * Reads the progress of an import with at most two storage requests, however large it is: the plan, and one range over
 * the tallies. An import that has ended keeps its final counts in its record and costs none.
 */
export async function readProgress(deps: ProgressDeps, record: Import): Promise<Progress> {
  const { counts, findingCounts } = record.counts
    ? { counts: record.counts, findingCounts: record.findingCounts }
    : await readCounts(deps, record);
  return progressOf(record, counts, findingCounts, deps.clock.now());
}

/** The progress of an import with these counts. */
export function progressOf(
  record: Import,
  counts: Counts,
  findingCounts: Record<string, number> | undefined,
  now: Date,
): Progress {
  const secondsLeft = estimateSecondsLeft(record, counts, now);
  const percent = percentOf(record, counts);
  return { record, counts, findingCounts: findingCounts ?? {}, percent, secondsLeft, waitingFor: waitOf(record, now) };
}

async function readCounts(
  deps: ProgressDeps,
  { connectionId, id, uploadedRows }: Import,
): Promise<{ counts: Counts; findingCounts: Record<string, number> | undefined }> {
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(connectionId, id),
    deps.ledger.listTallies(connectionId, id),
  ]);
  const counts = countRows(plan?.value, sumTallies(tallies), uploadedRows);
  return { counts, findingCounts: plan?.value.findingCounts };
}

function waitOf({ status, waitingFor }: Import, now: Date): ExplainedWait | null {
  return status === 'running' && waitingFor ? explainWait(waitingFor, now) : null;
}

/**
 * Rounded down, so that 100 is not shown before the end. An import has 0 while planning, because the total is not known
 * yet. Of an action it is.
 */
function percentOf(record: Import, counts: Counts): number {
  if (isEnded(record.status)) return 100;
  const { accepted, pending, waiting } = counts;
  if (record.action) return Math.min(99.9, shareOf(counts.rows, openOfAction(counts)));
  if (record.status === 'accepted' || record.status === 'planning' || accepted === 0) return 0;
  return shareOf(accepted, pending + waiting);
}

function shareOf(all: number, open: number): number {
  return all === 0 ? 0 : Math.floor(((all - open) / all) * 1000) / 10;
}

/** Mailboxes of an action that something is to be done with, also those that planning has not reached. */
function openOfAction({ rows, rejected, duplicates, passed, failed, inconclusive, cancelled }: Counts): number {
  return rows - rejected - duplicates - passed - failed - inconclusive - cancelled;
}
