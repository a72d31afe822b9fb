import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Lays out in `target` what is deployed, from the built app in `root`: `host.json`, a `package.json` that names the
 * bundle and nothing to install, and the bundle with its map.
 *
 * The map goes without the sources themselves, which are half of its size: a stack trace needs the places only.
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
}

if (import.meta.main) await writePackage('.', '.package');
