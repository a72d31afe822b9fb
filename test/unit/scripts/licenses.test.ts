import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLicenses } from '../../../scripts/licenses.ts';

let root: string;
let locked: Record<string, object>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'muster-licenses-'));
  locked = { '': { name: 'app' } };
  lock();
});
afterEach(() => rmSync(root, { recursive: true }));

function lock() {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: locked }));
}

/** Adds a package to the lock file, and installs it if there is a manifest. */
function add(folder: string, entry: object, manifest?: object) {
  locked[folder] = entry;
  lock();
  if (!manifest) return;
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'package.json'), JSON.stringify({ version: '1.0.0', ...manifest }));
}

it('every production dependency of Muster has an allowed licence', () => {
  const packages = readLicenses('.');
  expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['@azure/identity', 'jose', 'zod']));
  expect(packages.filter(({ isAllowed }) => !isAllowed)).toEqual([]);
});

it('lists what the manifest states, nested packages too, in order of names', () => {
  add('node_modules/zeta', {}, { name: 'zeta', license: 'MIT' });
  add('node_modules/zeta/node_modules/@a/b', {}, { name: '@a/b', license: 'ISC' });
  expect(readLicenses(root)).toEqual([
    { name: '@a/b', version: '1.0.0', license: 'ISC', isAllowed: true },
    { name: 'zeta', version: '1.0.0', license: 'MIT', isAllowed: true },
  ]);
});

it('leaves out development dependencies and workspaces', () => {
  add('node_modules/tool', { dev: true }, { name: 'tool', license: 'GPL-3.0-only' });
  add('node_modules/@muster/client', { link: true });
  add('clients/typescript', {}, { name: '@muster/client', license: 'UNLICENSED' });
  expect(readLicenses(root)).toEqual([]);
});

it.each([
  ['a licence that is not on the list', { license: 'AGPL-3.0-only' }, 'AGPL-3.0-only'],
  ['an expression that nobody has read', { license: '(MIT OR GPL-2.0)' }, '(MIT OR GPL-2.0)'],
  ['a private package', { license: 'UNLICENSED' }, 'UNLICENSED'],
  ['a licence in a file', { license: 'SEE LICENSE IN LICENSE.md' }, 'SEE LICENSE IN LICENSE.md'],
  ['no licence', {}, 'none stated'],
  ['an empty list', { licenses: [] }, 'none stated'],
  ['two licences in the old form', { licenses: [{ type: 'MIT' }, { type: 'GPL' }] }, 'MIT AND GPL'],
])('refuses %s', (_, manifest, license) => {
  add('node_modules/odd', {}, { name: 'odd', ...manifest });
  expect(readLicenses(root)).toEqual([{ name: 'odd', version: '1.0.0', license, isAllowed: false }]);
});

it('reads the old forms of one licence', () => {
  add('node_modules/one', {}, { name: 'one', license: { type: 'MIT' } });
  add('node_modules/two', {}, { name: 'two', licenses: [{ type: 'BSD-3-Clause' }] });
  expect(readLicenses(root).map(({ license, isAllowed }) => [license, isAllowed])).toEqual([
    ['MIT', true],
    ['BSD-3-Clause', true],
  ]);
});

it('skips an optional dependency that is not installed, and refuses to skip another one', () => {
  add('node_modules/for-windows', { optional: true });
  expect(readLicenses(root)).toEqual([]);
  add('node_modules/lost', {});
  expect(() => readLicenses(root)).toThrow('node_modules/lost is not installed');
});
