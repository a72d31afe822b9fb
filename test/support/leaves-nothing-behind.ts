import { afterAll, expect } from 'vitest';

/** What a test may replace for a while: clocks, the network, chance, the environment. */
const state = () => ({
  ...{ Date, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, queueMicrotask },
  ...{ fetch, now: performance.now, random: Math.random, randomUUID: crypto.randomUUID, log: console.log },
  cwd: process.cwd(),
  ...process.env,
});

const before = state();

/** Set up before each test file whose process is used again. This hook is registered first, so it runs last. */
afterAll(() => {
  const after: Record<string, unknown> = state();
  const isSame = (name: string) => Object.is(after[name], (before as Record<string, unknown>)[name]);
  const left = Object.keys({ ...before, ...after }).filter((name) => !isSame(name));
  expect(left, 'The next file gets this process. Undo these changes in the hooks of this file.').toEqual([]);
});
