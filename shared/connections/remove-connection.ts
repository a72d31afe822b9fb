import type { CustomerActor } from '../kernel/actor.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import { requireConnection } from './require-connection.ts';
import type { SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

export interface RemoveDeps {
  connections: Pick<ConnectionStore, 'get' | 'remove'>;
  expiryIndex: Pick<ExpiryIndex, 'remove'>;
  vault: Pick<SecretVault, 'remove'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Removes the mailboxes, imports and uploads of a connection and frees its slots. Repeatable. */
  purgeConnection: (customerId: string, connectionId: string) => Promise<void>;
}

/**
 * Removes a connection and everything that belongs to it.
 *
 * The secret goes first, so that nothing can reach the tenant any more. The record goes last, so that an interrupted
 * removal can be repeated.
 *
 * @throws DomainError `not_found`
 */
export async function removeConnection(deps: RemoveDeps, actor: CustomerActor, connectionId: string): Promise<void> {
  await removeExisting(deps, await requireConnection(deps, actor, connectionId));
}

/** The removal itself, for callers that have read the connection. Repeatable. */
export async function removeExisting(
  deps: Omit<RemoveDeps, 'connections'> & { connections: Pick<ConnectionStore, 'remove'> },
  connection: Connection,
): Promise<void> {
  const { customerId, id: connectionId } = connection;
  await deps.vault.remove(connectionId);
  deps.tokens.forget(connectionId);
  await deps.purgeConnection(customerId, connectionId);
  await deps.connections.remove(customerId, connectionId);
  await deps.expiryIndex.remove(expiryOf(connection));
}
