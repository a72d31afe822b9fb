import type { Clock } from '../kernel/clock.ts';
import { daysLeft, secretState } from './client-secret.ts';
import type { ClientSecretState, Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

export interface ExpiringSecret {
  customerId: string;
  connectionId: string;
  name: string;
  expiresAt: Date;
  daysLeft: number;
  state: ClientSecretState;
}

/** The secrets that end within so many days, and those that have ended, the most urgent first. */
export async function listExpiringSecrets(
  needs: { connections: Pick<ConnectionStore, 'listAll' | 'list'>; clock: Clock },
  customerId: string | undefined,
  withinDays: number,
): Promise<ExpiringSecret[]> {
  const now = needs.clock.now();
  const found: ExpiringSecret[] = [];
  for await (const connection of connectionsOf(needs.connections, customerId)) {
    const state = secretState(connection.clientSecretExpiresAt, now, withinDays);
    if (state !== 'valid') found.push(present(connection, now, state));
  }
  return found.sort((a, b) => a.expiresAt.getTime() - b.expiresAt.getTime());
}

/**
 * The daily look: marks each connection with the state of its secret and reports every one that is expiring or expired.
 * Repeatable; one that cannot be marked is reported all the same.
 */
export async function findExpiringSecrets(
  needs: { connections: ConnectionStore; clock: Clock; expiringWithinDays: number },
  report: (secret: ExpiringSecret) => void,
): Promise<void> {
  const now = needs.clock.now();
  for await (const connection of needs.connections.listAll()) {
    const state = secretState(connection.clientSecretExpiresAt, now, needs.expiringWithinDays);
    if (state !== 'valid') report(present(connection, now, state));
    if (state === connection.clientSecretState) continue;
    const found = await needs.connections.get(connection.customerId, connection.id);
    // Changed in between by somebody else: the next look marks it.
    if (found) await needs.connections.update({ ...found.value, clientSecretState: state }, found.tag);
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
