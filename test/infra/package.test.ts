import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docsFiles } from '../../functions/http/docs/docs-assets.ts';
import { writePackage } from '../../scripts/package.ts';

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

const chunk = /^dist\/chunks\/[\w.-]+\.js(\.map)?$/;

test('contains only host.json, package.json, the bundle, its source maps, the API reference and the SBOM', async () => {
  const entries = await readdir(target, { recursive: true });
  const bundle = ['bom.json', 'dist', 'dist/chunks', 'dist/docs', 'dist/index.js', 'dist/index.js.map'];
  const others = entries.filter((entry) => !chunk.test(entry));
  expect(others.sort()).toEqual([...bundle, ...docs, 'host.json', 'package.json'].sort());
});

test('has telemetry in a chunk of its own, which is read only where it is set up', async () => {
  const sdk = /BatchSpanProcessor/;
  const files = (await readdir(join(target, 'dist/chunks'))).filter((file) => file.endsWith('.js'));
  const texts = await Promise.all(files.map(async (file) => readFile(join(target, 'dist/chunks', file), 'utf8')));
  expect(texts.filter((text) => sdk.test(text))).toHaveLength(1);
  expect(await readFile(join(target, 'dist/index.js'), 'utf8')).not.toMatch(sdk);
});

test('has a package.json that names the bundle, but no dependencies and no scripts', async () => {
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ type: 'module', main: 'dist/index.js' });
  expect(Object.keys(manifest).sort()).toEqual(['license', 'main', 'name', 'type', 'version']);
  expect((await stat(join(target, manifest.main))).isFile()).toBe(true);
});

test('has a compressed size of at most 3 MB', async () => {
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => deflateRawSync(await readFile(file)).length));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(3_000_000);
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
