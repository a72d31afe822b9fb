import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSbom } from './sbom.ts';

/**
 * Writes the deployed package to `target`, from the built app in `root`: `host.json`, the bundle with its source map,
 * the files of the API reference, a `package.json` that has no dependencies to install, and the SBOM of what is in the
 * package, `bom.json`.
 *
 * The map leaves out the sources, which are half of its size. Stack traces do not need them.
 */
export async function writePackage(root: string, target: string): Promise<void> {
  const { name, version, license, type, main } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const map = JSON.parse(await readFile(join(root, 'dist/index.js.map'), 'utf8'));
  delete map.sourcesContent;

  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'dist'), { recursive: true });
  await cp(join(root, 'host.json'), join(target, 'host.json'));
  await writeFile(join(target, 'package.json'), JSON.stringify({ name, version, license, type, main }, null, 2));
  await cp(join(root, 'dist/index.js'), join(target, 'dist/index.js'));
  await writeFile(join(target, 'dist/index.js.map'), JSON.stringify(map));
  await cp(join(root, 'dist/docs'), join(target, 'dist/docs'), { recursive: true });
  await writeFile(join(target, 'bom.json'), JSON.stringify(createSbom(root), null, 2));
}

if (import.meta.main) await writePackage('.', '.package');
