import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docsFiles } from '../../functions/http/docs/docs-assets.ts';
import { writePackage } from '../../scripts/package.ts';
import { writeZip } from '../../scripts/write-zip.ts';

/** A folder with the package that azd uploads. `npm test` builds the app before it tests. */
let target: string;

beforeAll(async () => {
  target = join(await mkdtemp(join(tmpdir(), 'muster-package-')), 'package');
  await mkdir(target);
  await writeFile(join(target, 'left-over'), 'from an earlier run');
  await writePackage('.', target);
});

afterAll(() => rm(join(target, '..'), { recursive: true }));

const docs = [...docsFiles.map((file) => `dist/docs/${file}.gz`), 'dist/docs/LICENSES.txt'];

test('contains only host.json, package.json, the bundle with its source maps, the API reference and the SBOM', async () => {
  const entries = await readdir(target, { recursive: true });
  const bundle = ['bom.json', 'dist', 'dist/chunks', 'dist/docs', 'dist/index.js', 'dist/index.js.map'];
  const isChunk = (entry: string) => /^dist.chunks.[\w.-]+\.js(\.map)?$/.test(entry);
  expect(entries.filter((entry) => !isChunk(entry)).sort()).toEqual(
    [...bundle, ...docs, 'host.json', 'package.json'].sort(),
  );
  const chunks = entries.filter(isChunk);
  expect(chunks.length).toBeGreaterThan(10);
  for (const chunk of chunks.filter((one) => one.endsWith('.js'))) expect(chunks).toContain(`${chunk}.map`);
});

test('loads what few processes need only when they need it', async () => {
  const entry = await readFile(join(target, 'dist/index.js'), 'utf8');
  const atStart = [...entry.matchAll(/from"\.\/(chunks\/[^"]+)"/g)].map(([, name = '']) => name);
  const loaded = await Promise.all(atStart.map((name) => readFile(join(target, 'dist', name), 'utf8')));
  for (const late of ['XOAUTH2', 'ManagedIdentityCredential', '/$batch', 'BatchSpanProcessor'])
    expect(
      [entry, ...loaded].some((text) => text.includes(late)),
      late,
    ).toBe(false);
});

test('leaves out the large parts of dependencies that nothing uses', async () => {
  const files = (await readdir(target, { recursive: true })).filter((entry) => entry.endsWith('.js.map'));
  const sources = await Promise.all(
    files.map(async (file): Promise<string[]> => JSON.parse(await readFile(join(target, file), 'utf8')).sources),
  );
  const unused = /apache-arrow|encoding-japanese|iconv-lite.*tables|semantic-conventions.*\.cjs/;
  expect(sources.flat().filter((source) => unused.test(source))).toEqual([]);
});

test('has a package.json that names the bundle, but no dependencies and no scripts', async () => {
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ type: 'module', main: 'dist/index.js' });
  expect(Object.keys(manifest).sort()).toEqual(['license', 'main', 'name', 'type', 'version']);
  expect((await stat(join(target, manifest.main))).isFile()).toBe(true);
});

test('is an archive of at most 3 MB, and the same files make the same archive', async () => {
  const archives = [`${target}.1.zip`, `${target}.2.zip`];
  for (const archive of archives) await writeZip(target, archive);
  const [first, second] = await Promise.all(archives.map((archive) => readFile(archive)));
  expect(first?.length).toBeLessThanOrEqual(3_000_000);
  expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
});

test('names no source map in the files of the API reference, because browsers would ask for it', async () => {
  for (const file of docsFiles) {
    const text = gunzipSync(await readFile(join(target, `dist/docs/${file}.gz`))).toString();
    expect(text.length, file).toBeGreaterThan(100);
    expect(text, file).not.toContain('# sourceMappingURL=');
  }
});

test('has a source map that names the sources but does not contain them', async () => {
  const map = JSON.parse(await readFile(join(target, 'dist/index.js.map'), 'utf8'));
  expect(map.sources).toContain('../functions/index.ts');
  expect(map.mappings.length).toBeGreaterThan(1000);
  expect(map.sourcesContent).toBeUndefined();
});

test('has a CycloneDX SBOM of this version, with every package that the manifest names', async () => {
  const { name, version, dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  const sbom = JSON.parse(await readFile(join(target, 'bom.json'), 'utf8'));
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name, version } } });
  const purls = sbom.components.map(({ purl }: { purl: string }) => purl);
  expect(purls).toContain(`pkg:npm/zod@${dependencies.zod}`);
  const listed = new Set(sbom.components.map((one: { name: string }) => one.name));
  expect(Object.keys(dependencies).filter((one) => !listed.has(one))).toEqual([]);
});
