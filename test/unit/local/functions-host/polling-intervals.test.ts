import { expect, test } from 'vitest';
import { createPollingIntervals } from '../../../../local/functions-host/polling-intervals.ts';

test('polling backs off from 100 ms to the maximum, and resets after a message', () => {
  const intervals = createPollingIntervals(1_000, () => 0.5);
  expect(Array.from({ length: 7 }, () => intervals.next())).toEqual([100, 200, 300, 500, 900, 1_000, 1_000]);
  intervals.reset();
  expect(intervals.next()).toBe(100);
});
