import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import { newPlanRecord } from '../ledger/plan-record.ts';
import type { Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface Deps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  clock: Clock;
}

const PAIRS_MAX = 49;

/**
 * Ends every unsettled row of an import as `cancelled`, and gives back the slots that this import had claimed for them.
 *
 * Planning is closed first, so that no row comes after. A check that finishes meanwhile wins its row or loses it, never
 * both. Resolves when no unsettled row is left; repeatable, and gone on with by whoever comes next.
 */
export async function cancelOpenRows(deps: Deps, record: Import): Promise<void> {
  await closePlan(deps, record);
  for (;;) {
    const rows = await deps.ledger.findRows(record.connectionId, record.id, {
      fromLine: 0,
      states: ['pending', 'waiting'],
      limit: PAIRS_MAX,
    });
    if (rows.length === 0) return;
    await deps.serialByKey.run(record.connectionId, () => cancelTogether(deps, record, rows));
  }
}

async function closePlan(deps: Deps, record: Import): Promise<void> {
  for (;;) {
    const plan = await deps.ledger.getPlan(record.connectionId, record.id);
    if (plan?.value.done || plan?.value.closed) return;
    const change: LedgerChange = plan
      ? { op: 'mergePlan', importId: record.id, patch: { closed: true }, tag: plan.tag }
      : { op: 'createPlan', plan: { ...newPlanRecord(record.id, deps.clock.now()), closed: true } };
    if ((await deps.ledger.commit(record.connectionId, [change])).committed) return;
  }
}

/** One transaction. On any conflict nothing is written and the caller reads the rows again. */
async function cancelTogether(deps: Deps, record: Import, rows: readonly Tagged<Row>[]): Promise<void> {
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
    if (mailbox?.value.open !== openRowOf(row)) continue;
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

/** A mailbox that was connected before this import keeps its slot; it only did not get its check. */
function cancelledMailbox(isOurSlot: boolean) {
  return isOurSlot
    ? { status: 'disconnected' as const, open: null, slotClaimedBy: null, nextCheckAt: null }
    : { status: 'inconclusive' as const, open: null, nextCheckAt: null };
}

/** How a mailbox names the row that is being worked on. */
export function openRowOf(row: { importId: string; line: number }): string {
  return `${row.importId}:${row.line}`;
}
