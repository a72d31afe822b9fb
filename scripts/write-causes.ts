import { writeFile } from 'node:fs/promises';
import { causesPage } from './causes-page.ts';

/** `npm run docs:causes`: writes the documentation of all causes. */
await writeFile('docs/causes.md', causesPage());
