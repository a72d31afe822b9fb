import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { sendCleanup } from '../cleanup-message.ts';
import type { ImportQueues } from '../import-queues.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import { countsOfLeaving, isSettled, type Row, splitOpenRow } from '../ledger/row.ts';
import type { SettledMailbox } from '../ledger/settled-mailbox.ts';
import { addCounts, type TallyCounts, zeroCounts } from '../ledger/tally.ts';

export interface CloseRowsDeps {
  imports: Pick<ImportStore, 'get' | 'update'>;
  importQueues: Pick<ImportQueues, 'sendCheck'>;
  ledger: Pick<Ledger, 'getRow'>;
  clock: Clock;
  limits: { cleanupAfterMs: number };
}

/** What one transaction settles of another import. */
export interface ClosedOfImport {
  counts: TallyCounts;
  settled: SettledMailbox[];
}

/** A worker reads a row before its check if rows of the import were cancelled one by one. Renewed this often. */
const NOTED_FOR_MS = 60_000;

/** The open rows of these mailboxes, by address. Some mailboxes have none. */
export async function readOpenRows(
  { ledger }: Pick<CloseRowsDeps, 'ledger'>,
  connectionId: string,
  mailboxes: readonly Mailbox[],
): Promise<Map<string, Tagged<Row>>> {
  const read = mailboxes.map(async ({ address, openRow }) => {
    const at = splitOpenRow(openRow);
    const row = at && (await ledger.getRow(connectionId, at.importId, at.line));
    return [address, row] as const;
  });
  const found = await Promise.all(read);
  return new Map(found.flatMap(([address, row]) => (row && !isSettled(row.value.state) ? [[address, row]] : [])));
}

/**
 * Tells the workers of these imports that rows are cancelled one by one, so that they ask nobody whose row is gone. What
 * earlier tries may have left is removed later. Repeatable, and before the rows are cancelled.
 */
export async function announceClosing(
  deps: CloseRowsDeps,
  owner: { customerId: string; connectionId: string },
  rows: readonly Row[],
): Promise<void> {
  const now = deps.clock.now();
  for (const importId of new Set(rows.map((row) => row.importId))) {
    await changeImport(deps.imports, owner.customerId, importId, (current) => {
      const isNoted = current.rowsCancelledAt && now.getTime() - current.rowsCancelledAt.getTime() < NOTED_FOR_MS;
      return isNoted ? undefined : { ...current, rowsCancelledAt: now };
    });
  }
  const touched = rows.filter((row) => row.mayHaveLeftovers);
  await Promise.all(
    touched.map((row) => sendCleanup(deps.importQueues, { ...row, ...owner }, deps.limits.cleanupAfterMs)),
  );
}

/** Cancels a row of another import. Resolves to the write, and adds to what its tally counts. */
export function closeRow({ value: row, tag }: Tagged<Row>, closed: Map<string, ClosedOfImport>): LedgerChange {
  const { importId, line, address } = row;
  const known = closed.get(importId) ?? { counts: { ...zeroCounts }, settled: [] };
  // A slot that the import has claimed for this row is the import's to give back.
  const counts = { cancelled: 1, ...countsOfLeaving(row), ...(row.takesSlot && { slotsFreed: 1 }) };
  closed.set(importId, {
    counts: addCounts(known.counts, counts),
    settled: [...known.settled, { line, address, state: 'cancelled' }],
  });
  const message = 'This mailbox was disconnected or removed before its check ended.';
  const patch = { state: 'cancelled', nextCheckAt: null, heldAt: null, message } as const;
  return { op: 'mergeRow', importId, line, tag, patch };
}
