import { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import { type Connection, hasOwnApp, type OwnConnection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/**
 * Finds one of the customer's connections.
 *
 * A connection of another customer gets the same answer as one that does not exist. Otherwise a customer could find out
 * which IDs others have.
 *
 * @throws DomainError `not_found`
 */
export async function requireConnection(
  deps: { connections: Pick<ConnectionStore, 'get'> },
  actor: { customerId: string },
  connectionId: string,
): Promise<Connection> {
  const found = await deps.connections.get(actor.customerId, connectionId);
  if (!found) throw noSuchConnection(connectionId);
  return found.value;
}

/**
 * The same, for what only a connection through the customer's own app has.
 *
 * @throws DomainError `not_found`, `wrong_state` for the vendor's app
 */
export async function requireOwnConnection(
  deps: { connections: Pick<ConnectionStore, 'get'> },
  actor: { customerId: string },
  connectionId: string,
): Promise<OwnConnection> {
  const connection = await requireConnection(deps, actor, connectionId);
  if (!hasOwnApp(connection)) throw usesVendorApp();
  return connection;
}

export function usesVendorApp(): DomainError {
  return new DomainError(
    'wrong_state',
    'This connection uses the app of this service, so it has no client ID and no credential of its own. To use an app of your own, register another connection.',
  );
}

export function noSuchConnection(connectionId: string): DomainError {
  return notFound('conn', { connectionId });
}
