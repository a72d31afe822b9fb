import { rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { writeDocsAssets } from './docs-assets.ts';
import { englishOnly } from './english-only.ts';
import { withoutUnusedCode } from './unused-code.ts';

/**
 * Bundles the app into ES modules: `dist/index.js`, and in `dist/chunks` what it loads only when it needs it. The same
 * files are deployed to Azure and run in the local stack, with the files of the API reference beside them.
 *
 * The Functions worker supplies `@azure/functions-core` at run time. The banner defines `require` for the CommonJS
 * packages in the bundle. Without it the app fails at startup with "Dynamic require of … is not supported".
 *
 * White space is left out, because every byte is read at each start. Names stay, so stack traces name functions.
 */
await rm('dist', { recursive: true, force: true });
const result = await build({
  entryPoints: ['functions/index.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minifyWhitespace: true,
  minifySyntax: true,
  external: ['@azure/functions-core'],
  plugins: [englishOnly, withoutUnusedCode],
  // ES modules where a package has both, because only what is used of them gets into the bundle.
  mainFields: ['module', 'main'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
});
await writeFile('dist/meta.json', JSON.stringify(result.metafile));
await writeDocsAssets('dist/docs');
