import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Licences that a production dependency may have: those that only ask for the notice to be kept, or for nothing. An
 * expression is on the list as its package writes it, so that somebody has read it.
 */
const allowedLicenses: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  '(MIT OR EUPL-1.1+)',
  '(BSD-3-Clause OR GPL-2.0)',
];

export interface PackageLicense {
  name: string;
  version: string;
  /** `none stated` if the manifest names no licence. */
  license: string;
  isAllowed: boolean;
}

interface Manifest {
  name?: string;
  version?: string;
  license?: unknown;
  /** The old form, from before SPDX expressions. */
  licenses?: unknown;
}

/** What `package-lock.json` says about one folder of `node_modules`. */
interface LockedPackage {
  dev?: boolean;
  link?: boolean;
}

/**
 * The licences of the production dependencies in `root`, by name. Optional dependencies of other systems are not
 * installed and not listed.
 *
 * @throws Error if a required dependency is not installed
 */
export function readLicenses(root: string): PackageLicense[] {
  const lock = readJson<{ packages: Record<string, LockedPackage & { optional?: boolean; devOptional?: boolean }> }>(
    join(root, 'package-lock.json'),
  );
  const found: PackageLicense[] = [];
  for (const [folder, { dev, link, optional, devOptional }] of Object.entries(lock.packages)) {
    // The project and its workspaces are not in node_modules; a link leads to a workspace.
    if (dev || link || !folder.includes('node_modules/')) continue;
    const manifest = join(root, folder, 'package.json');
    if (existsSync(manifest)) found.push(toLicense(readJson<Manifest>(manifest)));
    else if (!optional && !devOptional) throw new Error(`${folder} is not installed. Run "npm ci" first.`);
  }
  return found.sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

function toLicense(manifest: Manifest): PackageLicense {
  const { name = 'unnamed', version = '' } = manifest;
  const license = licenseOf(manifest);
  return { name, version, license, isAllowed: allowedLicenses.includes(license) };
}

/** Of several licences in the old form all are named. Nobody says there whether one of them may be chosen. */
function licenseOf({ license, licenses }: Manifest): string {
  const stated = Array.isArray(licenses) && license === undefined ? licenses : [license];
  const names = stated.map((one: unknown) =>
    typeof one === 'string' ? one : (one as { type?: unknown } | null)?.type,
  );
  return names.filter((one) => typeof one === 'string' && one !== '').join(' AND ') || 'none stated';
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
