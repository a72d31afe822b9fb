import type { ConnectionFinding } from '../../causes/verdict.ts';
import { changeConnection } from '../change-connection.ts';
import { hasPassedTestSince } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';

/**
 * Marks a `ready` connection as `failing` and stores the finding. The first finding stays until a test passes.
 *
 * @param askedAt when Microsoft was asked. If a test that began later has passed, the finding is out of date and
 * nothing changes.
 */
export async function markConnectionFailing(
  deps: { connections: Pick<ConnectionStore, 'get' | 'update'> },
  customerId: string,
  connectionId: string,
  finding: ConnectionFinding,
  askedAt: Date,
): Promise<void> {
  await changeConnection(deps.connections, customerId, connectionId, (current) => {
    if (current.status !== 'ready' || hasPassedTestSince(current, askedAt)) return undefined;
    return { ...current, status: 'failing', finding };
  });
}
