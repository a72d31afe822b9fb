import type { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import type { Connection } from './connection.ts';
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

export function noSuchConnection(connectionId: string): DomainError {
  return notFound('conn', { connectionId });
}
