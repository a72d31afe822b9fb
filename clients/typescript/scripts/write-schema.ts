import { writeFileSync } from 'node:fs';
import { SCHEMA_FILE, schemaText } from './schema-text.ts';

/** `npm run client:types`: writes src/schema.ts. A test compares the two. */
writeFileSync(SCHEMA_FILE, await schemaText());
