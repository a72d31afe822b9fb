import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { type ChangeRowsDeps, changeRows } from '../ledger/change-rows.ts';
import { keepsStatus, type Row } from '../ledger/row.ts';

/**
 * Turns waiting rows back to pending, because they are about to be sent. Their attempt stays.
 *
 * Resolves to the rows that are pending now, with the tags to send them by. If the result of a transaction is unknown,
 * its rows are left out: if they are pending, their batch finds that they have no message.
 */
export async function rearmRows(
  deps: ChangeRowsDeps & { clock: Clock },
  record: Import,
  rows: readonly Tagged<Row>[],
): Promise<Tagged<Row>[]> {
  const sentAt = deps.clock.now();
  return changeRows(deps, record, rows, (row) => ({
    row: { state: 'pending', nextCheckAt: null, sentAt },
    mailbox: { ...(!keepsStatus(row) && { status: 'pending' as const }), nextCheckAt: null, waitCause: null },
    counts: { waiting: -1 },
  }));
}
