import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:long` runs these.
    exclude: ['test/long/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // End-to-end tests own a whole stack each; two cores carry three of them, which mostly wait.
    maxWorkers: 3,
  },
});
