import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { causesPage } from '../../../scripts/causes-page.ts';
import { causes } from '../../../shared/causes/causes.ts';

it('docs/causes.md is what the catalogue says; npm run docs:causes writes it anew', () => {
  expect(readFileSync('docs/causes.md', 'utf8')).toBe(causesPage());
});

it('every cause has a sentence, a fix and a link', () => {
  for (const [code, { sentence, fix, link }] of Object.entries(causes)) {
    expect(sentence, code).toMatch(/^[A-Z].*\.$/);
    expect(fix.length, code).toBeGreaterThan(10);
    // What only we can mend is explained by our own page.
    expect(link, code).toMatch(/^https:\/\/|^docs\/causes\.md#/);
  }
});
