import { type ConnectionTestDeps, createConnectionTest } from '../checks/connection-test/run-test.ts';
import { testConnection } from '../checks/connection-test/test-connection.ts';
import { withRegistration } from '../checks/connection-test/with-registration.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Config } from './config.ts';

/** Builds the connection test, for everything that runs it: its route, new credentials, and the resume of an import. */
export function buildConnectionTest(
  deps: Omit<ConnectionTestDeps, 'stepLimitMs'> &
    Omit<Parameters<typeof withRegistration>[0], 'stepLimitMs'> & {
      connections: ConnectionStore;
      settings: Config['settings'];
    },
) {
  const stepLimitMs = deps.settings.CONNECTION_TEST_STEP;
  const runTest = withRegistration({ ...deps, stepLimitMs }, createConnectionTest({ ...deps, stepLimitMs }));
  return {
    runTest,
    testConnection: (customerId: string, connectionId: string) =>
      testConnection({ connections: deps.connections, runTest }, { customerId }, connectionId),
  };
}
