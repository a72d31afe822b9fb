import pLimit from 'p-limit';
import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';

interface RemoveDeps {
  ledger: Pick<Ledger, 'findRows' | 'getMailboxes' | 'removeMailbox' | 'getIdentities' | 'removeIdentity'>;
}

const REMOVALS_AT_ONCE = 16;
/** More than one group of an action. */
const LINES_MAX = 100;

/**
 * Deletes the mailboxes that an action marked as removed in its last groups. A transaction cannot delete a mailbox on
 * condition that nobody has changed it, so it marks the mailbox, and this deletes it if nobody has imported it again in
 * the meantime. Repeatable.
 *
 * @param upToLine the last line of the action's checkpoint
 */
export async function removeMarked(
  { ledger }: RemoveDeps,
  { id, connectionId }: Pick<Import, 'id' | 'connectionId'>,
  upToLine: number,
): Promise<void> {
  const fromLine = Math.max(0, upToLine - LINES_MAX + 1);
  const rows = await ledger.findRows(connectionId, id, { fromLine, states: ['passed'], limit: LINES_MAX });
  const addresses = rows.map(({ value }) => value.address);
  const mailboxes =
    addresses.length > 0 ? await ledger.getMailboxes(connectionId, addresses) : new Map<string, never>();
  const limit = pLimit(REMOVALS_AT_ONCE);
  const marked = [...mailboxes.values()].filter(({ value }) => value.removedBy === id);
  await Promise.all(
    marked.map(({ value, tag }) => limit(() => ledger.removeMailbox(connectionId, value.address, tag))),
  );
}
