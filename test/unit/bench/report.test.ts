import { expect, test } from 'vitest';
import { readOptions } from '../../../bench/support/options.ts';
import { formatReport, isReached } from '../../../bench/support/report.ts';

test('a goal is an upper bound unless it says otherwise, and a measurement without a result misses it', () => {
  expect(isReached({ operation: 'puts', measured: 1.2, goal: 1.2 })).toBe(true);
  expect(isReached({ operation: 'puts', measured: 1.21, goal: 1.2 })).toBe(false);
  expect(isReached({ operation: 'rate', measured: 0.84, goal: 0.85, is: 'atLeast' })).toBe(false);
  for (const is of ['atMost', 'atLeast'] as const) {
    expect(isReached({ operation: 'rate', measured: Number.NaN, goal: 1, is })).toBe(false);
  }
});

test('a report is a table with its misses marked, and one line of JSON', () => {
  const lines = formatReport({
    title: 'Speed',
    rows: [
      { operation: 'rate', measured: 0.5, goal: 0.9, is: 'atLeast' },
      { operation: 'puts', measured: 1, goal: 1 },
    ],
    notes: ['  in 3 s'],
    details: { mailboxes: 10 },
  }).split('\n');
  expect(lines.slice(0, -1)).toEqual([
    'Speed',
    '',
    '  rate     0.500   goal ≥ 0.9  MISSED',
    '  puts     1.000   goal ≤ 1',
    '',
    '  in 3 s',
    '',
  ]);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ mailboxes: 10, rows: [{ measured: 0.5 }, { measured: 1 }] });
});

test('options have defaults, and what is not a whole number or not known is refused', () => {
  const read = (...args: string[]) =>
    readOptions(args, { numbers: { limit: { default: 600 } }, switches: ['apart'], lists: { processes: [1, 3] } });
  expect(read()).toEqual({ limit: 600, apart: false, processes: [1, 3] });
  expect(read('--limit', '12', '--apart', '--processes', '2,4')).toEqual({ limit: 12, apart: true, processes: [2, 4] });
  for (const args of [['--limit', '1.5'], ['--limit', '0'], ['--processes', '1,x'], ['--fast'], ['12']]) {
    expect(() => read(...args), args.join(' ')).toThrow();
  }
});
