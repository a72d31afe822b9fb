import { rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the app into one ES module, the very file that is deployed and that the local stack runs.
 *
 * `@azure/functions-core` is supplied by the Functions worker at run time. The banner gives CommonJS
 * packages inside the bundle a `require`; without it the first of them stops the start with
 * "Dynamic require of … is not supported".
 */
await rm('dist', { recursive: true, force: true });
const result = await build({
  entryPoints: ['functions/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  external: ['@azure/functions-core'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
});
await writeFile('dist/meta.json', JSON.stringify(result.metafile));
