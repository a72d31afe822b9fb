import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { causesPage } from '../../../scripts/causes-page.ts';
import { causes } from '../../../shared/causes/causes.ts';

it('docs/causes.md is up to date with the catalogue (npm run docs:causes writes it)', () => {
  expect(readFileSync('docs/causes.md', 'utf8')).toBe(causesPage());
});

it('every cause has a sentence, a fix and a link', () => {
  for (const [code, { sentence, fix, link }] of Object.entries(causes)) {
    expect(sentence, code).toMatch(/^[A-Z].*\.$/);
    expect(fix.length, code).toBeGreaterThan(10);
    // Our own page explains what only we can fix.
    expect(link, code).toMatch(/^https:\/\/|^docs\/causes\.md#/);
  }
});
