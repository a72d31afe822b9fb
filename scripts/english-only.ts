import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Leaves zod's sentences in fifty other languages out of the bundle. Muster has sentences of its own. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onResolve }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      /[\\/]zod[\\/]/.test(importer)
        ? { path: join(dirname(importer), path, '../en.js'), sideEffects: false }
        : undefined,
    );
  },
};
