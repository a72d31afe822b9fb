import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Inherited by the workers and by the processes that tests start. Each of them loads some hundred files.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'muster-compile-cache');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:long` runs these.
    exclude: ['test/long/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // End-to-end tests own a whole stack each; two cores carry three of them, which mostly wait.
    maxWorkers: 3,
    // It imports JSON in a way that Node refuses.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
  },
});
