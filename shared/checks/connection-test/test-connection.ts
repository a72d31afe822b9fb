import { changeConnection } from '../../connections/change-connection.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { applyTest } from '../../connections/readiness/connection-test.ts';
import { requireConnection } from '../../connections/require-connection.ts';
import type { TestedConnection } from './run-test.ts';

export interface TestConnectionDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  /** See `createConnectionTest`. */
  runTest: (connection: Connection) => Promise<TestedConnection>;
}

/**
 * Tests a connection by asking Microsoft now, with nothing cached. The result is kept on the connection, and its status
 * follows.
 *
 * @throws DomainError `not_found`
 */
export async function testConnection(
  deps: TestConnectionDeps,
  actor: { customerId: string },
  connectionId: string,
): Promise<TestedConnection> {
  const tested = await requireConnection(deps, actor, connectionId);
  const outcome = await deps.runTest(tested);
  await changeConnection(deps.connections, actor.customerId, connectionId, (current) =>
    applyTest(current, tested, outcome.result),
  );
  return outcome;
}
