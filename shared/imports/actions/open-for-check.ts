import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Patch } from '../ledger/ledger.ts';
import { keepsStatus, openRowOf, type Row } from '../ledger/row.ts';

/** The row by which a mailbox that the connection has is checked again. */
export function rowToCheck(importId: string, line: number, mailbox: Mailbox): Row {
  const { address, displayName, dailyLimit, reference, status, slotClaimedBy, history, identity } = mailbox;
  return {
    importId,
    line,
    address,
    state: 'pending',
    attempt: 0,
    statusBefore: status,
    ...(slotClaimedBy === undefined && { takesSlot: true }),
    ...(history && { historyBefore: history }),
    ...(identity && { knownAs: identity }),
    ...(displayName !== undefined && { displayName }),
    ...(dailyLimit !== undefined && { dailyLimit }),
    ...(reference !== undefined && { reference }),
  };
}

/** The mailbox while that row is open. One that is in use stays as it is. */
export function mailboxToCheck(row: Row, { importId, listedIn }: Mailbox): Patch<Mailbox> {
  return {
    ...(!keepsStatus(row) && { status: 'pending' as const }),
    ...(row.takesSlot && { slotClaimedBy: row.importId }),
    importId: row.importId,
    line: row.line,
    listedIn: listedIn ?? importId,
    openRow: openRowOf(row),
    nextCheckAt: null,
    waitCause: null,
  };
}
