import type { CustomerActor } from '../kernel/actor.ts';
import type { ConnectionStore } from './connection-store.ts';
import { requireConnection } from './require-connection.ts';
import type { SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: ConnectionStore;
  vault: Pick<SecretVault, 'remove'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Removes mailboxes, imports and uploads of a connection and gives its slots back; repeatable. */
  purgeConnection: (customerId: string, connectionId: string) => Promise<void>;
}

/**
 * Removes a connection with all that hangs on it: the secret first, so that nothing can be asked of the tenant any more,
 * the record last, so that a deletion that was interrupted can be repeated.
 *
 * @throws DomainError `not_found`
 */
export async function removeConnection(needs: Deps, actor: CustomerActor, connectionId: string): Promise<void> {
  await requireConnection(needs, actor, connectionId);
  await removeParts(needs, actor.customerId, connectionId);
}

export async function removeParts(needs: Deps, customerId: string, connectionId: string): Promise<void> {
  await needs.vault.remove(connectionId);
  needs.tokens.forget(connectionId);
  await needs.purgeConnection(customerId, connectionId);
  await needs.connections.remove(customerId, connectionId);
}
