import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Inherited by the workers and by the processes that tests start. Each of them loads some hundred files.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'muster-compile-cache');

/** Tests that leave nothing behind in their process, so that the next file can have it: half of the processor time. */
const units = [
  ...['adapters', 'alerts', 'bench', 'causes', 'checks', 'client', 'connections', 'directory', 'edge', 'fakes'],
  ...['functions', 'kernel', 'mailboxes', 'operations', 'scripts', 'setup', 'webhooks'],
  ...['actions', 'checking', 'dispatching', 'events', 'finishing', 'ledger', 'pacing', 'reconciling', 'refusals'].map(
    (folder) => `imports/${folder}`,
  ),
].map((folder) => `test/unit/${folder}/**/*.test.ts`);
const sharing = [...units, 'test/api/**/*.test.ts', 'test/infra/**/*.test.ts'];
/** Apart from the others, because `fetch` reads once in each process which certificates it trusts. */
const simulator = 'test/integration/microsoft365/**/*.test.ts';
const shared = { isolate: false, setupFiles: 'test/support/leaves-nothing-behind.ts' };

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // End-to-end tests own a whole stack each; two cores carry three of them, which mostly wait.
    maxWorkers: 3,
    // It imports JSON in a way that Node refuses.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
    projects: [
      { extends: true, test: { name: 'small', include: sharing, ...shared } },
      { extends: true, test: { name: 'simulator', include: [simulator], ...shared } },
      {
        extends: true,
        // `npm run test:long` runs the long ones.
        test: { name: 'all', include: ['test/**/*.test.ts'], exclude: ['test/long/**', simulator, ...sharing] },
      },
    ],
  },
});
