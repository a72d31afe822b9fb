import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX } from '../ledger/ledger.ts';
import { newPlanRecord } from '../ledger/plan-record.ts';
import { openRowOf, openStates, type Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface CancelDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  clock: Clock;
}

/**
 * Settles every open row of an import as `cancelled`, and gives back the slots that this import claimed for them.
 *
 * Closes planning first, so that no row is added afterwards. A check that finishes at the same time either wins its row
 * or loses it, never both. Resolves when no open row is left. Repeatable: a later call continues where this one
 * stopped.
 */
export async function cancelOpenRows(deps: CancelDeps, record: Import): Promise<void> {
  await closePlan(deps, record);
  for (;;) {
    const rows = await deps.ledger.findRows(record.connectionId, record.id, {
      fromLine: 0,
      states: openStates,
      limit: PAIRS_MAX,
    });
    if (rows.length === 0) return;
    await deps.serialByKey.run(record.connectionId, () => cancelTogether(deps, record, rows));
  }
}

async function closePlan(deps: CancelDeps, record: Import): Promise<void> {
  for (;;) {
    const plan = await deps.ledger.getPlan(record.connectionId, record.id);
    if (plan?.value.done || plan?.value.closed) return;
    const change: LedgerChange = plan
      ? { op: 'mergePlan', importId: record.id, patch: { closed: true }, tag: plan.tag }
      : { op: 'createPlan', plan: { ...newPlanRecord(record.id, deps.clock.now()), closed: true } };
    if ((await deps.ledger.commit(record.connectionId, [change])).committed) return;
  }
}

/** One transaction. After a conflict nothing is written, and the caller reads the rows again. */
async function cancelTogether(deps: CancelDeps, record: Import, rows: readonly Tagged<Row>[]): Promise<void> {
  const mailboxes = await Promise.all(
    rows.map((row) => deps.ledger.getMailbox(record.connectionId, row.value.address)),
  );
  const changes: LedgerChange[] = [];
  let slotsFreed = 0;
  let waiting = 0;
  for (const [i, { value: row, tag }] of rows.entries()) {
    const mailbox = mailboxes[i];
    changes.push({
      op: 'mergeRow',
      importId: row.importId,
      line: row.line,
      tag,
      patch: { state: 'cancelled', nextCheckAt: null },
    });
    if (row.state === 'waiting') waiting++;
    if (mailbox?.value.openRow !== openRowOf(row)) continue;
    const isOurSlot = mailbox.value.slotClaimedBy === record.id;
    if (isOurSlot) slotsFreed++;
    changes.push({ op: 'mergeMailbox', address: row.address, tag: mailbox.tag, patch: cancelledMailbox(isOurSlot) });
  }
  const entry = deps.tallies.add(record.id, { cancelled: rows.length, waiting: -waiting, slotsFreed });
  try {
    const result = await deps.ledger.commit(record.connectionId, [...changes, entry.change]);
    if (result.committed) entry.committed(result.tags.at(-1) ?? '');
    else if (result.index >= changes.length) entry.abandon();
  } catch (error) {
    entry.abandon();
    throw error;
  }
}

/** A mailbox that was connected before this import keeps its slot. It only missed this check. */
function cancelledMailbox(isOurSlot: boolean) {
  return isOurSlot
    ? { status: 'disconnected' as const, openRow: null, slotClaimedBy: null, nextCheckAt: null }
    : { status: 'inconclusive' as const, openRow: null, nextCheckAt: null };
}
