import pLimit from 'p-limit';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentBatch } from '../import.ts';
import type { Row } from '../ledger/row.ts';
import { countSettled, sumTallies, type TallyCounts } from '../ledger/tally.ts';
import { releaseDue } from './canary.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { announce, type Turn } from './dispatch-lease.ts';
import { findDueRows, findOverdueBatches, findUnsentRows, findUnsettledRows } from './find-rows-to-send.ts';
import { rearmRows } from './rearm-rows.ts';
import { mergeBatches, newBatch, resentBatch } from './sent-batches.ts';

const SENDS_AT_ONCE = 32;

/** What came of one look at an import. */
export type Step =
  | { kind: 'settled' }
  /** Someone else has changed the import: a pause, a cancel, or another dispatcher after our lease ran out. */
  | { kind: 'lost' }
  | { kind: 'asleep'; until: Date }
  | { kind: 'working'; outstanding: number; window: number; more: boolean };

/**
 * Looks once at how far an import is, and puts on the queue what there is room for: rows not sent yet, waiting rows that
 * are due, and batches that ought to be settled by now.
 */
export async function dispatchStep(deps: DispatchDeps, turn: Turn): Promise<Step> {
  const { record } = turn;
  const now = deps.clock.now();
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(record.connectionId, record.id),
    deps.ledger.listTallies(record.connectionId, record.id),
  ]);
  const counts = sumTallies(tallies);
  if (plan && countSettled(counts) >= plan.value.accepted) return { kind: 'settled' };
  const outstanding = record.dispatched - countSettled(counts) - counts.waiting;
  const room = Math.max(0, turn.window - outstanding);

  const fresh = await findUnsentRows(deps, record, plan?.value.accepted ?? 0, room);
  const released = await releaseDue(deps, record, await findDueRows(deps, record, counts, room - fresh.length));
  const due = released.rows;
  const overdue = await findOverdueBatches(deps, record, outstanding, now);
  const isSame = released.change.canary === record.canary && released.change.canarySettledAt === record.canarySettledAt;
  if (isSame && fresh.length + due.length + overdue.length === 0) {
    return idle(deps, record, counts, outstanding, turn.window);
  }

  const cursor = (fresh.at(-1)?.value.line ?? record.cursor - 1) + 1;
  const { canary: _asked, canarySettledAt: _awake, ...rest } = record;
  const announced = await announce(deps, { ...turn, record: { ...rest, ...released.change } }, cursor);
  if (!announced) return { kind: 'lost' };
  const batches: SentBatch[] = record.batches.filter((page) => !overdue.includes(page));
  // Pages first: whatever goes wrong from here on, the rows of this step belong to a page that becomes overdue.
  if (fresh[0]) batches.push(newBatch(fresh[0].value.line, cursor, now, deps.dispatching.overdue));
  if (due.length > 0) {
    const armed = await rearmRows(deps, record, due);
    await send(deps, announced.record, armed, () => true);
    const lines = due.map((row) => row.value.line);
    batches.push(newBatch(Math.min(...lines), Math.max(...lines) + 1, now, deps.dispatching.overdue));
  }
  for (const page of overdue) {
    const rows = await findUnsettledRows(deps, record, page);
    if (rows.length === 0) continue;
    await send(deps, announced.record, rows.filter(isPending), () => true);
    batches.push(resentBatch(page, now, deps.dispatching.overdue));
  }
  await send(deps, record, fresh.filter(isPending), (row) => row.line < turn.sentUpTo);

  const next: Import = {
    ...announced.record,
    cursor,
    dispatched: record.dispatched + fresh.length,
    batches: mergeBatches(batches),
  };
  const tag = await deps.imports.update(next, announced.tag);
  if (tag === undefined) return { kind: 'lost' };
  return {
    kind: 'working',
    outstanding: outstanding + fresh.length + due.length,
    window: turn.window,
    more: fresh.length > 0,
  };
}

const isPending = (row: Tagged<Row>): boolean => row.value.state === 'pending';

async function send(
  deps: DispatchDeps,
  record: Import,
  rows: readonly Tagged<Row>[],
  isAgain: (row: Row) => boolean,
): Promise<void> {
  const limit = pLimit(SENDS_AT_ONCE);
  await Promise.all(
    rows.map(({ value: row, tag }) =>
      limit(() =>
        deps.importQueues.sendCheck({
          v: 1,
          customerId: record.customerId,
          connectionId: record.connectionId,
          importId: record.id,
          line: row.line,
          address: row.address,
          rowTag: tag,
          attempt: row.attempt,
          epoch: record.epoch,
          tries: 0,
          ...(isAgain(row) && { mayHaveLeftovers: true as const }),
          ...(row.line === record.canary && { canary: true as const }),
          ...(row.since && { since: row.since.toISOString() }),
          ...(row.priorFindings && { priorFindings: row.priorFindings }),
        }),
      ),
    ),
  );
}

/** Nothing to send: either checks are under way, or every open row waits for an instant that is still to come. */
async function idle(
  deps: DispatchDeps,
  record: Import,
  counts: TallyCounts,
  outstanding: number,
  window: number,
): Promise<Step> {
  if (outstanding > 0 || counts.waiting <= 0) return { kind: 'working', outstanding, window, more: false };
  const waiting = await deps.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    limit: 500,
  });
  const instants = waiting.flatMap((row) => row.value.nextCheckAt ?? []).sort((a, b) => a.getTime() - b.getTime());
  return instants[0] ? { kind: 'asleep', until: instants[0] } : { kind: 'working', outstanding, window, more: false };
}
