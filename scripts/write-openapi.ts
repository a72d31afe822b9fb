import { writeFileSync } from 'node:fs';
import { openApiDocument } from './openapi-document.ts';

/** `npm run docs:openapi`: writes docs/openapi.json. A test compares the two. */
writeFileSync('docs/openapi.json', openApiDocument());
