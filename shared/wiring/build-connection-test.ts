import { type ConnectionTestDeps, createConnectionTest } from '../checks/connection-test/run-test.ts';
import { testConnection } from '../checks/connection-test/test-connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Config } from './config.ts';

/** Builds the connection test, for everything that runs it: its route, new credentials, and the resume of an import. */
export function buildConnectionTest(
  deps: Omit<ConnectionTestDeps, 'stepLimitMs'> & { connections: ConnectionStore; settings: Config['settings'] },
) {
  const runTest = createConnectionTest({ ...deps, stepLimitMs: deps.settings.CONNECTION_TEST_STEP });
  return {
    runTest,
    testConnection: (customerId: string, connectionId: string) =>
      testConnection({ connections: deps.connections, runTest }, { customerId }, connectionId),
  };
}
