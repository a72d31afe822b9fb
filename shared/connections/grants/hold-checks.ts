import { changeConnection } from '../change-connection.ts';
import { hasPassedTestSince } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';

/**
 * Starts a quiet period: holds the checks of a connection until new grants have had time to propagate, because asking
 * delays them further. Never shortens a quiet period.
 *
 * @param askedAt when Microsoft refused. If a test that began later has passed, there is nothing to wait for and
 * nothing changes.
 */
export async function holdChecks(
  deps: { connections: Pick<ConnectionStore, 'get' | 'update'> },
  customerId: string,
  connectionId: string,
  until: Date,
  askedAt: Date,
): Promise<void> {
  await changeConnection(deps.connections, customerId, connectionId, (current) => {
    if (hasPassedTestSince(current, askedAt)) return undefined;
    if (current.checksHeldUntil && current.checksHeldUntil >= until) return undefined;
    return { ...current, checksHeldUntil: until };
  });
}
