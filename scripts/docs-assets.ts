import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DocsFile, docsFiles } from '../functions/http/docs/docs-assets.ts';

const swaggerUi = 'node_modules/swagger-ui-dist';

const sources: Record<DocsFile, string> = {
  'swagger-ui.css': `${swaggerUi}/swagger-ui.css`,
  'docs.css': 'functions/http/docs/docs.css',
  'swagger-ui.js': `${swaggerUi}/swagger-ui-bundle.js`,
  'docs.js': 'functions/http/docs/docs.js',
};

const licenses = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'];

/** Writes the files of the reference page to `target`, compressed, with the licenses of what they contain. */
export async function writeDocsAssets(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const file of docsFiles) {
    const text = await readFile(sources[file], 'utf8');
    await writeFile(join(target, `${file}.gz`), gzipSync(withoutSourceMap(text), { level: 9 }));
  }
  const texts = await Promise.all(licenses.map((name) => readFile(join(swaggerUi, name), 'utf8')));
  await writeFile(join(target, 'LICENSES.txt'), texts.join('\n\n'));
}

/** The maps are not in the package. Browsers would ask for them. */
function withoutSourceMap(text: string): string {
  return text.replace(/\n(?:\/\/|\/\*)# sourceMappingURL=.*\s*$/, '\n');
}
