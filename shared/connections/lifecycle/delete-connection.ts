import { retryLostRaces } from '../../kernel/change-tagged.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withHeartbeat } from '../../kernel/with-heartbeat.ts';
import { type Connection, hasOwnApp } from '../connection.ts';
import type { ConnectionStore, DeletedConnection } from '../connection-store.ts';
import type { ConsentStore } from '../consent/consent-store.ts';
import { type CredentialVaults, credentialsOf, removeCredential } from '../credentials/credential-vaults.ts';
import { expiryOf } from '../expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../expiry/expiry-index.ts';
import { noSuchConnection } from '../require-connection.ts';
import type { Tokens } from '../tokens.ts';

interface DeleteDeps extends CredentialVaults {
  connections: Pick<ConnectionStore, 'get' | 'hide' | 'getHidden'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Sends the message that makes `finishDeletion` run. */
  sendDeletion: (message: DeletedConnection) => Promise<void>;
  clock: Clock;
}

export interface FinishDeletionDeps extends CredentialVaults {
  connections: Pick<ConnectionStore, 'get' | 'getHidden' | 'noteDeletion' | 'forgetDeletion' | 'removeHidden'>;
  expiryIndex: Pick<ExpiryIndex, 'remove'>;
  consents: Pick<ConsentStore, 'remove'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Removes the mailboxes, imports and uploads of a connection and frees its slots. Repeatable. */
  purgeConnection: (customerId: string, connectionId: string) => Promise<void>;
  /** Removes what was learnt about how fast its tenant may be asked. Repeatable. */
  removePace: (connection: Connection) => Promise<void>;
  /** Removes the messages about a connection that could not be handled. */
  poisonArchive: { remove(connectionId: string): Promise<void> };
  clock: Clock;
}

/** A message is lost if nothing was heard of its work for this time. The host would wait for minutes. */
const LOST_AFTER_MS = 30_000;
const HEARTBEAT_MS = 10_000;

const lostAt = ({ clock }: { clock: Clock }) => new Date(clock.now().getTime() + LOST_AFTER_MS);

/**
 * Deletes a connection. From the first write on it is gone for its customer: nothing finds it, no new work is accepted,
 * and its tenant can be registered again. Its credentials become unusable. `finishDeletion` does the rest in the background.
 *
 * Repeatable: while the rest is being done, deleting it again succeeds.
 *
 * @param check receives the connection as it is before the write, and may throw to refuse
 * @throws DomainError `not_found`
 */
export async function deleteConnection(
  deps: DeleteDeps,
  { customerId }: { customerId: string },
  connectionId: string,
  check: (current: Connection) => void = () => undefined,
): Promise<void> {
  const hidden = await retryLostRaces(async () => {
    const found = await deps.connections.get(customerId, connectionId);
    if (!found) {
      const deleted = await deps.connections.getHidden(customerId, connectionId);
      if (!deleted) throw noSuchConnection(connectionId);
      return deleted;
    }
    check(found.value);
    return (await deps.connections.hide(found.value, found.tag, lostAt(deps))) ? found.value : undefined;
  });
  deps.tokens.forget(connectionId);
  // What fails here is done in the background.
  await removeCredentials(deps, hidden).catch(() => undefined);
  await deps.sendDeletion({ customerId, connectionId }).catch(() => undefined);
}

/**
 * Removes everything that belongs to a deleted connection, and at last its hidden record, so that an interrupted deletion
 * is repeated. Does nothing for a connection that is not deleted.
 *
 * Also removes what a late request has left for a connection whose record is gone.
 */
export async function finishDeletion(
  deps: FinishDeletionDeps,
  { customerId, connectionId }: DeletedConnection,
): Promise<void> {
  // The process died after it had noted the deletion, and before it hid the connection.
  if (await deps.connections.get(customerId, connectionId)) return deps.connections.forgetDeletion(connectionId);
  const hidden = await deps.connections.getHidden(customerId, connectionId);
  const noteAgain = () => deps.connections.noteDeletion({ customerId, connectionId, dueAt: lostAt(deps) });
  await noteAgain();
  await withHeartbeat(HEARTBEAT_MS, noteAgain, async () => {
    if (hidden) await removeCredentials(deps, hidden);
    deps.tokens.forget(connectionId);
    await deps.purgeConnection(customerId, connectionId);
    await deps.consents.remove(connectionId);
    await deps.poisonArchive.remove(connectionId);
    if (hidden) await deps.removePace(hidden);
    if (hidden && hasOwnApp(hidden)) await deps.expiryIndex.remove(expiryOf(hidden));
  });
  await deps.connections.removeHidden(customerId, connectionId);
}

/** Deletes a connection and finishes its deletion now, for callers that cannot wait. Repeatable. */
export async function discardConnection(
  deps: DeleteDeps & FinishDeletionDeps,
  { customerId, connectionId }: DeletedConnection,
): Promise<void> {
  const found = await deps.connections.get(customerId, connectionId);
  if (found) await deleteConnection(deps, { customerId }, connectionId);
  await finishDeletion(deps, { customerId, connectionId });
}

/** Sends a message for each deletion whose message may be lost. Resolves to their number. */
export async function sweepDeletions(
  deps: Pick<DeleteDeps, 'sendDeletion' | 'clock'> & { connections: Pick<ConnectionStore, 'listDeletions'> },
): Promise<number> {
  const now = deps.clock.now();
  const due = (await deps.connections.listDeletions()).filter(({ dueAt }) => dueAt <= now);
  for (const { customerId, connectionId } of due) await deps.sendDeletion({ customerId, connectionId });
  return due.length;
}

async function removeCredentials(deps: CredentialVaults, connection: Connection): Promise<void> {
  for (const credential of credentialsOf(connection)) await removeCredential(deps, connection.id, credential);
}
