import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** Every file that the reference page loads, in this order. `scripts/docs-assets.ts` puts them into the package. */
export const docsFiles = ['swagger-ui.css', 'docs.css', 'swagger-ui.js', 'docs.js'] as const;
export type DocsFile = (typeof docsFiles)[number];

export interface DocsAsset {
  file: DocsFile;
  /** The name in its address. It contains a hash of the content, so browsers may keep the file forever. */
  publicName: string;
  contentType: string;
  gzipped: Uint8Array;
}

/** Reads all files once, when they are needed for the first time. */
export function lazyDocsAssets(folder: URL): () => Promise<readonly DocsAsset[]> {
  let assets: Promise<readonly DocsAsset[]> | undefined;
  return () => {
    assets ??= Promise.all(docsFiles.map((file) => readAsset(folder, file)));
    // A failure is not remembered.
    assets.catch(() => {
      assets = undefined;
    });
    return assets;
  };
}

async function readAsset(folder: URL, file: DocsFile): Promise<DocsAsset> {
  return toDocsAsset(file, await readFile(new URL(`${file}.gz`, folder)));
}

export function toDocsAsset(file: DocsFile, gzipped: Uint8Array): DocsAsset {
  const hash = createHash('sha256').update(gunzipSync(gzipped)).digest('hex').slice(0, 16);
  const [name, extension] = splitName(file);
  const contentType = extension === 'js' ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8';
  return { file, publicName: `${name}-${hash}.${extension}`, contentType, gzipped };
}

function splitName(file: DocsFile): [name: string, extension: string] {
  const dot = file.lastIndexOf('.');
  return [file.slice(0, dot), file.slice(dot + 1)];
}
