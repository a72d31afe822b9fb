import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSbom } from './sbom.ts';
import { thinSourceMap } from './thin-source-map.ts';
import { writeZip } from './write-zip.ts';

/**
 * Writes the deployed package to `target`, from the built app in `root`: `host.json`, the bundle with its source maps,
 * the files of the API reference, a `package.json` that has no dependencies to install, and the SBOM of what is in the
 * package, `bom.json`.
 */
export async function writePackage(root: string, target: string): Promise<void> {
  const { name, version, license, type, main } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'dist/chunks'), { recursive: true });
  await cp(join(root, 'host.json'), join(target, 'host.json'));
  await writeFile(join(target, 'package.json'), JSON.stringify({ name, version, license, type, main }, null, 2));
  for await (const file of glob('dist/{,chunks/}*.js', { cwd: root })) {
    await cp(join(root, file), join(target, file));
    const map = JSON.parse(await readFile(join(root, `${file}.map`), 'utf8'));
    await writeFile(join(target, `${file}.map`), JSON.stringify(thinSourceMap(map)));
  }
  await cp(join(root, 'dist/docs'), join(target, 'dist/docs'), { recursive: true });
  await writeFile(join(target, 'bom.json'), JSON.stringify(createSbom(root), null, 2));
}

if (import.meta.main) {
  await writePackage('.', '.package');
  // azd makes an archive of its own. This one is for everything else, such as `az functionapp deployment source config-zip`.
  await writeZip('.package', 'muster.zip');
}
