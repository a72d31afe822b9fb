import { holdsIdentity } from '../imports/ledger/claim-identities.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import { identityKeysOf } from '../mailboxes/identity.ts';

type Deps = Pick<Ledger, 'peekIdentified'>;

/** Storage requests for a page that somebody waits for, and for one of a whole directory. */
export const PAGE_LOOKUPS_MAX = 32;
export const BULK_LOOKUPS_MAX = 400;

/**
 * Which of these users of a tenant the connection looks after, whatever address it knows them by: an import of such a user
 * ends as `same_mailbox`. It is known of the first `answered` users, and of at least one.
 *
 * @param ids their object IDs
 */
export async function peekConnectedUsers(
  ledger: Deps,
  connectionId: string,
  ids: readonly string[],
  requestsMax: number,
): Promise<{ connected: Set<string>; answered: number }> {
  if (ids.length === 0) return { connected: new Set(), answered: 0 };
  const keys = ids.flatMap((objectId) => identityKeysOf({ objectId }));
  const { mailboxes, answered } = await ledger.peekIdentified(connectionId, keys, requestsMax);
  const connected = ids.filter((_, index) => {
    const key = keys[index] ?? '';
    return holdsIdentity(mailboxes.get(key), key);
  });
  return { connected: new Set(connected), answered };
}

/** The same for all of them. Costs more requests the more they are. */
export async function findConnectedUsers(
  ledger: Deps,
  connectionId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const connected = new Set<string>();
  for (let from = 0; from < ids.length; ) {
    const page = await peekConnectedUsers(ledger, connectionId, ids.slice(from), BULK_LOOKUPS_MAX);
    for (const id of page.connected) connected.add(id);
    from += page.answered;
  }
  return connected;
}
