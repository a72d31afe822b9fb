import type { CustomerActor } from '../kernel/actor.ts';
import type { ConnectionStore } from './connection-store.ts';
import { requireConnection } from './require-connection.ts';
import type { SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'remove'>;
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
export async function removeConnection(deps: Deps, actor: CustomerActor, connectionId: string): Promise<void> {
  await requireConnection(deps, actor, connectionId);
  await removeExisting(deps, actor.customerId, connectionId);
}

/** The removal itself, for callers that know the connection exists. Repeatable. */
export async function removeExisting(
  deps: Omit<Deps, 'connections'> & { connections: Pick<ConnectionStore, 'remove'> },
  customerId: string,
  connectionId: string,
): Promise<void> {
  await deps.vault.remove(connectionId);
  deps.tokens.forget(connectionId);
  await deps.purgeConnection(customerId, connectionId);
  await deps.connections.remove(customerId, connectionId);
}
