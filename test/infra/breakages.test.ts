import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { breakages } from './breakages.ts';

test.each(breakages)('this defect can still be made: $what', ({ file, from, to }) => {
  expect(readFileSync(file, 'utf8')).toContain(from);
  expect(from).not.toBe(to);
});
