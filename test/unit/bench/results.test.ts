import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { drawThroughput } from '../../../bench/support/chart.ts';
import { TABLE_END, TABLE_START, tableOf } from '../../../bench/support/results.ts';

it('says for every goal whether it was met, in the order of the benches', () => {
  const rows = [
    { operation: 'queue put', measured: 1, goal: 1 },
    { operation: 'rate ÷ possible', measured: 0.8512, goal: 0.9, is: 'atLeast' as const },
  ];
  const table = tableOf({ requests: { title: 'Requests', rows } }, '2026-01-01, a machine');
  expect(table.split('\n').slice(0, 6)).toEqual([
    'Measured on 2026-01-01, a machine.',
    '',
    '| bench | what | goal | measured | met |',
    '|---|---|---|---|---|',
    '| requests | queue put | ≤ 1 | 1 | yes |',
    '| requests | rate ÷ possible | ≥ 0.9 | 0.851 | **no** |',
  ]);
});

it('finds the place of its table in the README', () => {
  const readme = readFileSync('README.md', 'utf8');
  expect(readme.indexOf(TABLE_START)).toBeGreaterThan(0);
  expect(readme.indexOf(TABLE_END)).toBeGreaterThan(readme.indexOf(TABLE_START));
});

it('draws what was measured as an SVG', () => {
  const points = [
    { x: '1', measured: 55.5, possible: 60 },
    { x: '2', measured: 111, possible: 120 },
  ];
  const svg = drawThroughput('Functions processes', points);
  expect(svg).toMatch(/^<svg /);
  for (const label of ['Functions processes', 'mailboxes a second', '55.5', '111']) expect(svg).toContain(label);
});
