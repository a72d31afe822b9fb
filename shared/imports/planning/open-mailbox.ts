import type { LedgerChange } from '../ledger/ledger.ts';
import { openRowOf, type Row } from '../ledger/row.ts';
import type { KnownMailbox } from './known-mailboxes.ts';

/**
 * The write that opens a row's mailbox for its check: creates it, or updates the one that the connection already has.
 */
export function openMailbox(row: Row, known: KnownMailbox | undefined, now: Date): LedgerChange {
  const { importId, line, address, displayName, dailyLimit, reference } = row;
  const openRow = openRowOf(row);
  const given = {
    ...(displayName !== undefined && { displayName }),
    ...(dailyLimit !== undefined && { dailyLimit }),
    ...(reference !== undefined && { reference }),
  };
  if (!known) {
    return {
      op: 'createMailbox',
      mailbox: {
        address,
        ...given,
        kind: 'unknown',
        status: 'pending',
        checks: {},
        importId,
        line,
        openRow,
        slotClaimedBy: importId,
        createdAt: now,
      },
    };
  }
  return {
    op: 'mergeMailbox',
    address,
    tag: known.tag,
    patch: {
      ...given,
      status: 'pending',
      importId,
      line,
      listedIn: null,
      openRow,
      nextCheckAt: null,
      waitCause: null,
      pausedAt: null,
      removedBy: null,
      // A mailbox that holds a slot keeps it. The import that first accepted the mailbox claimed that slot.
      ...(!known.value.slotClaimedBy && { slotClaimedBy: importId }),
    },
  };
}
