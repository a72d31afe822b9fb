import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SCHEMA_FILE, schemaText } from '../../../clients/typescript/scripts/schema-text.ts';

it('the types of the client are those of docs/openapi.json; npm run client:types writes them', async () => {
  expect(readFileSync(SCHEMA_FILE, 'utf8')).toBe(await schemaText());
});
