import type { Clock } from '../kernel/clock.ts';
import { changeConnection } from './change-connection.ts';
import { daysLeft, secretState } from './client-secret.ts';
import type { ClientSecretState, Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

interface ExpiringSecret {
  customerId: string;
  connectionId: string;
  name: string;
  expiresAt: Date;
  daysLeft: number;
  state: ClientSecretState;
}

/**
 * The client secrets that have expired or expire within `withinDays`, soonest first.
 *
 * @param customerId limits the list to one customer
 */
export async function listExpiringSecrets(
  deps: { connections: Pick<ConnectionStore, 'listAll' | 'list'>; clock: Clock },
  customerId: string | undefined,
  withinDays: number,
): Promise<ExpiringSecret[]> {
  const now = deps.clock.now();
  const found: ExpiringSecret[] = [];
  for await (const connection of connectionsOf(deps.connections, customerId)) {
    const state = secretState(connection.clientSecretExpiresAt, now, withinDays);
    if (state !== 'valid') found.push(present(connection, now, state));
  }
  return found.sort((a, b) => a.expiresAt.getTime() - b.expiresAt.getTime());
}

/**
 * The daily check: stores the state of each connection's client secret and reports every secret that is expiring or
 * expired. Repeatable.
 */
export async function findExpiringSecrets(
  deps: { connections: Pick<ConnectionStore, 'listAll' | 'get' | 'update'>; clock: Clock; expiringWithinDays: number },
  report: (secret: ExpiringSecret) => void,
): Promise<void> {
  const now = deps.clock.now();
  const stateOf = (connection: Connection) =>
    secretState(connection.clientSecretExpiresAt, now, deps.expiringWithinDays);
  for await (const connection of deps.connections.listAll()) {
    const state = stateOf(connection);
    if (state !== 'valid') report(present(connection, now, state));
    if (state === connection.clientSecretState) continue;
    // The secret may have been replaced since it was listed.
    await changeConnection(deps.connections, connection.customerId, connection.id, (current) =>
      current.clientSecretState === stateOf(current) ? undefined : { ...current, clientSecretState: stateOf(current) },
    );
  }
}

async function* connectionsOf(
  connections: Pick<ConnectionStore, 'listAll' | 'list'>,
  customerId: string | undefined,
): AsyncGenerator<Connection> {
  if (customerId === undefined) return yield* connections.listAll();
  let cursor: string | undefined;
  do {
    const page = await connections.list(customerId, { limit: 500, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function present(connection: Connection, now: Date, state: ClientSecretState): ExpiringSecret {
  return {
    customerId: connection.customerId,
    connectionId: connection.id,
    name: connection.name,
    expiresAt: connection.clientSecretExpiresAt,
    daysLeft: daysLeft(connection.clientSecretExpiresAt, now),
    state,
  };
}
