import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'muster-compile-cache');

/** `npm run test:long`: the longer end-to-end tests. `npm test` leaves them out, so that it stays short. */
export default defineConfig({
  test: { include: ['test/long/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 3 },
});
