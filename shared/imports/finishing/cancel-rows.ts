import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { sendCleanup } from '../cleanup-message.ts';
import type { Import } from '../import.ts';
import type { HeldLease } from '../import-lease.ts';
import type { ImportQueues } from '../import-queues.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX, type Patch } from '../ledger/ledger.ts';
import { countsOfLeaving, openStates, type Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { SettledMailbox } from '../ledger/settled-mailbox.ts';
import { addCounts, zeroCounts } from '../ledger/tally.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

export interface CancelDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  importQueues: Pick<ImportQueues, 'sendCheck'>;
  limits: { cleanupAfterMs: number };
}

/** Rows that one step settles, at most. They fit into one page of storage, and take about half a second. */
const STEP_MAX = 20 * PAIRS_MAX;

/** Commits of one group, at most. Each conflict settles a row, so more of them mean that something is wrong. */
const COMMITS_MAX = PAIRS_MAX + 1;

/**
 * Settles the open rows from a line on as `cancelled`, at most `STEP_MAX` of them, and gives back the slots that this
 * import claimed for them. Resolves to the line where the next step continues.
 *
 * Planning must be closed. Then open rows only become fewer, and none is left below the line that this resolves to. A
 * check that finishes at the same time either wins its row or loses it, never both. Repeatable.
 *
 * What earlier tries may have left in a mailbox is removed later, by a cleanup message.
 */
export async function cancelRows(
  deps: CancelDeps,
  lease: HeldLease,
  fromLine: number,
): Promise<number | 'done' | 'lost'> {
  const { record } = lease;
  const rows = await findOpen(deps.ledger, record, fromLine, undefined, STEP_MAX);
  for (let from = 0; from < rows.length; from += PAIRS_MAX) {
    if (!(await lease.keep())) return 'lost';
    const group = rows.slice(from, from + PAIRS_MAX);
    const touched = group.filter(({ value }) => value.mayHaveLeftovers);
    await Promise.all(
      touched.map(({ value }) =>
        sendCleanup(deps.importQueues, { ...value, ...ownerOf(record) }, deps.limits.cleanupAfterMs),
      ),
    );
    await cancelTogether(deps, record, group);
  }
  const last = rows.at(-1);
  return rows.length < STEP_MAX || !last ? 'done' : last.value.line + 1;
}

const ownerOf = ({ customerId, connectionId }: Import) => ({ customerId, connectionId });

function findOpen(ledger: Ledger, record: Import, fromLine: number, toLine: number | undefined, limit: number) {
  const range = { fromLine, ...(toLine !== undefined && { toLine }) };
  return ledger.findRows(record.connectionId, record.id, { ...range, states: openStates, limit });
}

/** Repeats the transaction without the rows that other writers have settled, until none of these rows is open. */
async function cancelTogether(deps: CancelDeps, record: Import, rows: readonly Tagged<Row>[]): Promise<void> {
  const withoutMailbox = new Set<string>();
  let open = rows;
  for (let commits = 1; open.length > 0; commits++) {
    if (commits > COMMITS_MAX) {
      throw new DomainError('storage_unavailable', `Cancelling rows met ${COMMITS_MAX} conflicts in a row.`);
    }
    const tried = open;
    const isCommitted = await deps.serialByKey.run(record.connectionId, () =>
      commitCancelled(deps, record, tried, withoutMailbox),
    );
    if (isCommitted) return;
    const [first, last] = [open[0]?.value.line ?? 0, open.at(-1)?.value.line ?? 0];
    open = await findOpen(deps.ledger, record, first, last + 1, PAIRS_MAX);
  }
}

/** One transaction. After a conflict nothing is written. */
async function commitCancelled(
  deps: CancelDeps,
  record: Import,
  rows: readonly Tagged<Row>[],
  withoutMailbox: Set<string>,
): Promise<boolean> {
  const changes: LedgerChange[] = [];
  const settled: SettledMailbox[] = [];
  let counts = { ...zeroCounts, cancelled: rows.length };
  for (const { value: row, tag } of rows) {
    const { importId, line, address } = row;
    changes.push({
      op: 'mergeRow',
      importId,
      line,
      tag,
      patch: { state: 'cancelled', nextCheckAt: null, heldAt: null },
    });
    settled.push({ line, address, state: 'cancelled' });
    counts = addCounts(counts, countsOfLeaving(row));
    if (withoutMailbox.has(address)) continue;
    if (row.takesSlot) counts.slotsFreed++;
    // No tag: while the row is open, only the row's own writers change its mailbox.
    changes.push({ op: 'mergeMailbox', address, patch: cancelledMailbox(row) });
  }
  const entry = deps.tallies.add(record.id, counts, settled);
  try {
    const result = await deps.ledger.commit(record.connectionId, [...changes, ...entry.changes]);
    if (result.committed) {
      entry.committed(result.tags.at(-1) ?? '');
      return true;
    }
    const refused = changes[result.index];
    if (!refused) entry.abandon();
    else if (refused.op === 'mergeMailbox') withoutMailbox.add(refused.address);
    return false;
  } catch (error) {
    entry.abandon();
    throw error;
  }
}

/** A mailbox that was connected before keeps its slot. It only missed this check. */
function cancelledMailbox({ takesSlot, statusBefore }: Row): Patch<Mailbox> {
  const status = statusBefore ?? (takesSlot ? 'disconnected' : 'inconclusive');
  return {
    status,
    openRow: null,
    nextCheckAt: null,
    waitCause: null,
    ...(takesSlot && { slotClaimedBy: null, pausedAt: null }),
  };
}
