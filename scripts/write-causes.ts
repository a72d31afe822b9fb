import { writeFile } from 'node:fs/promises';
import { causesPage } from './causes-page.ts';

/** `npm run docs:causes` writes what the product says about each cause into the documentation. */
await writeFile('docs/causes.md', causesPage());
