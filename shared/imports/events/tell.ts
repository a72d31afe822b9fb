import { createHash } from 'node:crypto';
import { type Import, isEnded } from '../import.ts';
import { countRows } from '../ledger/counts.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { SettledBatch } from '../ledger/settled-batch.ts';
import type { SettledMailbox } from '../ledger/settled-mailbox.ts';
import { countSettled, sumTallies, type Tally, zeroCounts } from '../ledger/tally.ts';
import { type Progress, progressOf } from '../progress/progress.ts';
import { END_ID, formatPosition, type Position } from './position.ts';

/** What a listener is told. `id` is where another process goes on after this event. */
export type ImportEvent =
  | { kind: 'progress' | 'done'; id: string; progress: Progress }
  | { kind: 'mailbox'; id: string; mailboxes: readonly SettledMailbox[] };

/** What is known about an import. */
export interface ImportView {
  record: Import;
  plan: PlanRecord | undefined;
  tallies: readonly Tally[] | undefined;
}

/** Mailboxes in one event, at most. */
const BUNDLE_MAX = 200;
/** Between two whole percents, a slow import tells its progress this often. */
const REFRESH_MS = 5_000;

/** One listener, and what it has been told. */
export interface Told {
  position: Position;
  /** When it was last told a progress. */
  progressAt: number;
  /** The accepted rows of that progress. They grow while the import is planned. */
  accepted: number;
}

/**
 * Tells a listener about batches, and about the progress that follows from what it was told. Counts and mailboxes always
 * agree: a progress counts exactly the mailboxes that were told before it. The progress is told at each whole percent, at
 * each change of state, and in between if a slow import has moved. No percent is told twice in the same state.
 */
export function tellBatches(told: Told, view: ImportView, batches: Iterable<SettledBatch>, now: Date): ImportEvent[] {
  const { position } = told;
  const events: ImportEvent[] = [];
  let bundle: SettledMailbox[] = [];
  const flush = () => {
    if (bundle.length > 0) events.push({ kind: 'mailbox', id: formatPosition(position), mailboxes: bundle });
    bundle = [];
  };
  const tellProgress = (isLast: boolean) => {
    const progress = progressAfter(position, view, now);
    if (!isWorthTelling(told, progress, now, isLast)) return;
    flush();
    events.push(noteProgress(told, progress, now));
  };
  for (const { mailboxes } of batches) {
    for (const mailbox of mailboxes) {
      position.told[mailbox.state]++;
      bundle.push(mailbox);
    }
    if (bundle.length >= BUNDLE_MAX) flush();
    tellProgress(false);
  }
  flush();
  tellProgress(true);
  return events;
}

/** Tells the end of an import, once everything before it is told. */
export function tellEnd(told: Told, view: ImportView, now: Date): ImportEvent[] {
  const { record } = view;
  const progress = progressOf(record, record.counts ?? countsAfter(told.position, view), record.findingCounts, now);
  const isTold = told.position.percent === 100 && told.position.state === stateOf(record);
  return [...(isTold ? [] : [noteProgress(told, progress, now)]), { kind: 'done', id: END_ID, progress }];
}

function isWorthTelling(
  { position, progressAt, accepted }: Told,
  progress: Progress,
  now: Date,
  isLast: boolean,
): boolean {
  const { record, percent, counts } = progress;
  // Everything is settled, and the end is near. It tells the last percent.
  if (percent === 100 || isEnded(record.status)) return false;
  if (position.state !== stateOf(record)) return true;
  if (Math.floor(percent) > Math.floor(position.percent)) return true;
  const isDue = isLast && now.getTime() - progressAt >= REFRESH_MS;
  return isDue && (percent > position.percent || (percent === 0 && counts.accepted > accepted));
}

function noteProgress(told: Told, progress: Progress, now: Date): ImportEvent {
  told.position.percent = progress.percent;
  told.position.state = stateOf(progress.record);
  told.progressAt = now.getTime();
  told.accepted = progress.counts.accepted;
  return { kind: 'progress', id: formatPosition(told.position), progress };
}

function progressAfter(position: Position, view: ImportView, now: Date): Progress {
  return progressOf(view.record, countsAfter(position, view), view.plan?.findingCounts, now);
}

function countsAfter({ told }: Position, { record, plan, tallies = [] }: ImportView) {
  const settled = countSettled({ ...zeroCounts, ...told });
  const open = Math.max(0, (plan?.accepted ?? 0) - settled);
  const waiting = Math.min(open, Math.max(0, sumTallies(tallies).waiting));
  // The plan may have been read before the log.
  const upToDate = plan && { ...plan, accepted: Math.max(plan.accepted, settled) };
  return countRows(upToDate, { ...zeroCounts, ...told, waiting }, record.uploadedRows);
}

/** What a progress says beside its numbers. */
function stateOf({ status, finding, startedAt }: Import): string {
  const state = JSON.stringify([status, finding?.code, finding?.seenAt, startedAt]);
  return createHash('sha256').update(state).digest('base64url').slice(0, 8);
}
