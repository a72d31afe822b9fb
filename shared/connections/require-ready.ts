import type { CustomerActor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { requireConnection } from './require-connection.ts';

/**
 * Resolves to one of the customer's connections if it is `ready`. Otherwise refuses and says how to make it ready.
 *
 * @throws DomainError `not_found`, `connection_not_ready`
 */
export async function requireReadyConnection(
  deps: { connections: ConnectionStore },
  actor: CustomerActor,
  connectionId: string,
): Promise<Connection> {
  const connection = await requireConnection(deps, actor, connectionId);
  requireReady(connection);
  return connection;
}

/** @throws DomainError `connection_not_ready` */
export function requireReady(connection: Connection): void {
  if (connection.status === 'ready') return;
  const fix =
    connection.status === 'failing'
      ? 'Fix the problem shown in `finding`, then run the connection test again.'
      : 'Grant the app consent, then run the connection test (POST …/test). Once it passes, imports are accepted.';
  throw new DomainError(
    'connection_not_ready',
    `The status of the connection is ${connection.status}, not ready. ${fix}`,
  );
}
