import type { Plugin } from 'esbuild';

interface UnusedCode {
  /** The path that an import names. */
  path: RegExp;
  /** The package that imports it. */
  importer: RegExp;
  /** What stands in its place. */
  contents: string;
}

const throws = (what: string) => `throw new Error(${JSON.stringify(`${what} is not in this bundle`)})`;

/** Large parts of dependencies that nothing of ours uses. Each fails with a sentence if something uses it after all. */
const unused: readonly UnusedCode[] = [
  // Blobs are listed as XML, which is the default.
  {
    path: /^apache-arrow$/,
    importer: /[\\/]@azure[\\/]storage-blob[\\/]/,
    contents: `export const tableFromIPC=()=>{${throws('apache-arrow')}}`,
  },
  // The IMAP probe opens a mailbox and reads no message, so no text in an East Asian encoding is ever decoded.
  {
    path: /^\.\/tables\/[\w-]+\.json$/,
    importer: /[\\/]iconv-lite[\\/]encodings[\\/]/,
    contents: throws('a table of iconv-lite'),
  },
  {
    path: /^encoding-japanese$/,
    importer: /[\\/](imapflow|libmime)[\\/]/,
    contents: `module.exports={convert(){${throws('encoding-japanese')}}}`,
  },
];

/** Leaves the code out that nothing uses. Code that few processes use is in a chunk of its own instead. */
export const withoutUnusedCode: Plugin = {
  name: 'without-unused-code',
  setup({ onResolve, onLoad }) {
    for (const [index, { path, importer }] of unused.entries()) {
      onResolve({ filter: path }, (asked) =>
        importer.test(asked.importer) ? { path: String(index), namespace: 'unused' } : undefined,
      );
    }
    onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({ contents: unused[Number(path)]?.contents ?? '' }));
  },
};
