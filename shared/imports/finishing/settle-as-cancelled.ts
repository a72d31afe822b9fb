import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import { newPlanRecord } from '../ledger/plan-record.ts';
import type { Row } from '../ledger/row.ts';
import type { Lanes } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface Needs {
  ledger: Ledger;
  lanes: Lanes;
  tallies: TallyBook;
  clock: Clock;
}

const TOGETHER_MOST = 49;

/**
 * Ends every unsettled row of an import as `cancelled`, and gives back the slots that this import had claimed for them.
 *
 * Planning is closed first, so that no row comes after. A check that finishes meanwhile wins its row or loses it, never
 * both. Resolves when no unsettled row is left; repeatable, and gone on with by whoever comes next.
 */
export async function settleAsCancelled(needs: Needs, record: Import): Promise<void> {
  await closePlan(needs, record);
  for (;;) {
    const rows = await needs.ledger.findRows(record.connectionId, record.id, {
      fromLine: 0,
      states: ['pending', 'waiting'],
      limit: TOGETHER_MOST,
    });
    if (rows.length === 0) return;
    await needs.lanes.run(record.connectionId, () => cancelTogether(needs, record, rows));
  }
}

async function closePlan(needs: Needs, record: Import): Promise<void> {
  for (;;) {
    const plan = await needs.ledger.getPlan(record.connectionId, record.id);
    if (plan?.value.done || plan?.value.closed) return;
    const change: LedgerChange = plan
      ? { op: 'mergePlan', importId: record.id, patch: { closed: true }, tag: plan.tag }
      : { op: 'createPlan', plan: { ...newPlanRecord(record.id, needs.clock.now()), closed: true } };
    if ((await needs.ledger.commit(record.connectionId, [change])).committed) return;
  }
}

/** One transaction. On any conflict nothing is written and the caller reads the rows again. */
async function cancelTogether(needs: Needs, record: Import, rows: readonly Tagged<Row>[]): Promise<void> {
  const mailboxes = await Promise.all(
    rows.map((row) => needs.ledger.getMailbox(record.connectionId, row.value.address)),
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
    if (mailbox?.value.open !== openMark(row)) continue;
    const isOurSlot = mailbox.value.slotOf === record.id;
    if (isOurSlot) slotsFreed++;
    changes.push({ op: 'mergeMailbox', address: row.address, tag: mailbox.tag, patch: cancelledMailbox(isOurSlot) });
  }
  const entry = needs.tallies.add(record.id, { cancelled: rows.length, waiting: -waiting, slotsFreed });
  try {
    const result = await needs.ledger.commit(record.connectionId, [...changes, entry.change]);
    if (result.committed) entry.committed(result.tags.at(-1) ?? '');
    else if (result.index >= changes.length) entry.abandon();
  } catch (error) {
    entry.abandon();
    throw error;
  }
}

/** A mailbox that was connected before this import keeps its slot; it only did not get its check. */
function cancelledMailbox(isOurSlot: boolean) {
  return isOurSlot
    ? { status: 'disconnected' as const, open: null, slotOf: null, nextCheckAt: null }
    : { status: 'inconclusive' as const, open: null, nextCheckAt: null };
}

/** How a mailbox names the row that is being worked on. */
export function openMark(row: { importId: string; line: number }): string {
  return `${row.importId}:${row.line}`;
}
