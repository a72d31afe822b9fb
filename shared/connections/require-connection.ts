import type { CustomerActor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/**
 * Finds one of the customer's connections, or refuses.
 *
 * "Absent" and "somebody else's" get one and the same answer: telling them apart would let one customer find out which
 * ids another one has.
 *
 * @throws DomainError `not_found`
 */
export async function requireConnection(
  needs: { connections: Pick<ConnectionStore, 'get'> },
  actor: CustomerActor,
  connectionId: string,
): Promise<Connection> {
  return (await requireTagged(needs, actor, connectionId)).value;
}

/** The same, with the tag that a conditional write of it needs. */
export async function requireTagged(
  needs: { connections: Pick<ConnectionStore, 'get'> },
  actor: CustomerActor,
  connectionId: string,
): Promise<Tagged<Connection>> {
  const found = await needs.connections.get(actor.customerId, connectionId);
  if (!found) throw new DomainError('not_found', 'There is no such connection.', { context: { connectionId } });
  return found;
}
