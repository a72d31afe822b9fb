import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openApiDocument } from '../../../scripts/openapi-document.ts';

it('docs/openapi.json is what the app serves; npm run docs:openapi writes it', () => {
  expect(readFileSync('docs/openapi.json', 'utf8')).toBe(openApiDocument());
});
