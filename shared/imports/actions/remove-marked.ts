import pLimit from 'p-limit';
import type { Tagged } from '../../kernel/tagged.ts';
import { identityKeysOf } from '../../mailboxes/identity.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import type { IdentityRecord, Ledger } from '../ledger/ledger.ts';

interface RemoveDeps {
  ledger: Pick<Ledger, 'findRows' | 'getMailboxes' | 'removeMailbox' | 'getIdentities' | 'removeIdentity'>;
}

const REMOVALS_AT_ONCE = 16;
/** More than one group of an action. */
const LINES_MAX = 100;

/**
 * Deletes the mailboxes that an action marked as removed in its last groups, with their identities. A transaction cannot
 * delete a mailbox on condition that nobody has changed it, so it marks the mailbox, and this deletes it if nobody has
 * imported it again in the meantime. Repeatable.
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
  const marked = await readMarked(ledger, { id, connectionId }, rows.map(addressOf));
  if (marked.length === 0) return;
  const limit = pLimit(REMOVALS_AT_ONCE);
  const identities = await identitiesOf(ledger, connectionId, marked);
  // Identities first: a retry finds them by the mailbox.
  await Promise.all(
    identities.map(({ value, tag }) => limit(() => ledger.removeIdentity(connectionId, value.key, tag))),
  );
  await Promise.all(
    marked.map(({ value, tag }) => limit(() => ledger.removeMailbox(connectionId, value.address, tag))),
  );
}

async function readMarked(
  ledger: RemoveDeps['ledger'],
  { id, connectionId }: Pick<Import, 'id' | 'connectionId'>,
  addresses: readonly string[],
): Promise<Tagged<Mailbox>[]> {
  if (addresses.length === 0) return [];
  const mailboxes = await ledger.getMailboxes(connectionId, addresses);
  return [...mailboxes.values()].filter(({ value }) => value.removedBy === id);
}

/**
 * The identities that name these mailboxes. An import of the same mailbox claims its identity anew. So the mailboxes are read
 * again: if a mailbox is unchanged, its identity was read before any such claim, and cannot be deleted after one.
 */
async function identitiesOf(
  ledger: RemoveDeps['ledger'],
  connectionId: string,
  marked: readonly Tagged<Mailbox>[],
): Promise<Tagged<IdentityRecord>[]> {
  const keys = marked.flatMap(({ value }) => identityKeysOf(value.identity ?? {}));
  if (keys.length === 0) return [];
  const identities = await ledger.getIdentities(connectionId, [...new Set(keys)]);
  const now = await ledger.getMailboxes(connectionId, marked.map(addressOf));
  const unchanged = new Set(marked.filter(({ value, tag }) => now.get(value.address)?.tag === tag).map(addressOf));
  return [...identities.values()].filter((identity) => unchanged.has(addressOf(identity)));
}

const addressOf = ({ value }: Tagged<{ address: string }>) => value.address;
