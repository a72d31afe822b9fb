import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentBatch } from '../import.ts';
import type { HeldLease } from '../import-lease.ts';
import type { Row } from '../ledger/row.ts';
import { countSettled, sumTallies, type TallyCounts } from '../ledger/tally.ts';
import { releaseDue } from './canary.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { findDueRows, findOpenRows, findOverdueBatches, findUnsentRows } from './find-rows-to-send.ts';
import { rearmRows } from './rearm-rows.ts';
import { sendChecks } from './send-checks.ts';
import { mergeBatches, newBatch, resentBatch } from './sent-batches.ts';

/** Waiting rows that are read to find out when the next one is due. */
const WAITING_READ_MAX = 500;

type Step =
  | { kind: 'settled' }
  /** Another writer changed the import: a pause, a cancel, or another dispatcher after our lease expired. */
  | { kind: 'lost' }
  /** Every open row waits for a later time. */
  | { kind: 'asleep'; until: Date }
  | { kind: 'working'; outstanding: number; window: number; more: boolean };

/**
 * Reads once how far an import has got, and sends what fits into the window: rows not sent yet, waiting rows that are
 * due, and batches that are overdue.
 */
export async function dispatchStep(deps: DispatchDeps, lease: HeldLease, window: number): Promise<Step> {
  const { record } = lease;
  const now = deps.clock.now();
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(record.connectionId, record.id),
    deps.ledger.listTallies(record.connectionId, record.id),
  ]);
  const counts = sumTallies(tallies);
  if (plan && countSettled(counts) >= plan.value.accepted) return { kind: 'settled' };
  const outstanding = record.dispatched - countSettled(counts) - counts.waiting;
  const room = Math.max(0, window - outstanding);

  const unsent = await findUnsentRows(deps, record, plan?.value.accepted ?? 0, room);
  const released = await releaseDue(deps, record, await findDueRows(deps, record, counts, room - unsent.length));
  const due = released.rows;
  const overdue = await findOverdueBatches(deps, record, outstanding, now);
  const { canary, canarySettledAt } = record;
  const isSame = released.change.canary === canary && released.change.canarySettledAt === canarySettledAt;
  if (isSame && unsent.length + due.length + overdue.length === 0) {
    return idle(deps, record, counts, outstanding, window);
  }

  const cursor = (unsent.at(-1)?.value.line ?? record.cursor - 1) + 1;
  // The cursor moves and the batches are noted before anything is sent. Whatever fails from here on, these rows belong
  // to a batch that becomes overdue.
  const batches: SentBatch[] = record.batches.filter((batch) => !overdue.includes(batch));
  if (unsent[0]) batches.push(newBatch(unsent[0].value.line, cursor, now, deps.dispatching.overdue));
  const dueLines = due.map((row) => row.value.line);
  if (due.length > 0) {
    batches.push(newBatch(Math.min(...dueLines), Math.max(...dueLines) + 1, now, deps.dispatching.overdue));
  }
  const resent: Tagged<Row>[] = [];
  for (const batch of overdue) {
    const rows = await findOpenRows(deps, record, batch);
    if (rows.length === 0) continue;
    resent.push(...rows.filter(isPending));
    batches.push(resentBatch(batch, now, deps.dispatching.overdue));
  }
  const dispatched = record.dispatched + unsent.length;
  const noted = { ...released.change, cursor, dispatched, batches: mergeBatches(batches) };
  const isHeld = await lease.write(({ canary: _asked, canarySettledAt: _settledAt, ...current }) => ({
    ...current,
    ...noted,
  }));
  if (!isHeld) return { kind: 'lost' };

  const rearmed = await rearmRows(deps, record, due);
  await sendChecks(deps, lease.record, [...rearmed, ...resent], () => true);
  await sendChecks(deps, lease.record, unsent.filter(isPending), () => false);
  return { kind: 'working', outstanding: outstanding + unsent.length + due.length, window, more: unsent.length > 0 };
}

const isPending = (row: Tagged<Row>): boolean => row.value.state === 'pending';

/** Nothing to send: either checks are under way, or every open row waits for a later time. */
async function idle(
  deps: DispatchDeps,
  record: Import,
  counts: TallyCounts,
  outstanding: number,
  window: number,
): Promise<Step> {
  const working: Step = { kind: 'working', outstanding, window, more: false };
  if (outstanding > 0 || counts.waiting <= 0) return working;
  const waiting = await deps.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    limit: WAITING_READ_MAX,
  });
  const dueTimes = waiting.flatMap((row) => row.value.nextCheckAt ?? []).sort((a, b) => a.getTime() - b.getTime());
  return dueTimes[0] ? { kind: 'asleep', until: dueTimes[0] } : working;
}

/**
 * An equal share of the messages that all imports together may have on the queue, so that a large one leaves room for
 * others.
 */
export async function computeWindow(deps: DispatchDeps): Promise<number> {
  const { windowTotal, windowMin, windowMax } = deps.dispatching;
  const running = Math.max(1, (await deps.imports.listOpen()).length);
  return Math.min(windowMax, Math.max(windowMin, Math.floor(windowTotal / running)));
}
