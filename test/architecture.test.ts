import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { causeCodes } from '../shared/causes/causes.ts';

/** Who may import whom. `feature` is any other folder in shared/. */
const mayImport: Record<string, readonly string[]> = {
  kernel: [],
  feature: ['kernel', 'feature'],
  edge: ['kernel'],
  adapters: ['kernel', 'feature'],
  wiring: ['kernel', 'feature', 'adapters'],
  functions: ['kernel', 'feature', 'edge', 'wiring'],
};

/** Which features a feature may use, beside the kernel. A new arrow is a decision: add it here, or find another way. */
const featureArrows: Record<string, readonly string[]> = {
  'api-keys': [],
  causes: [],
  checks: ['causes', 'connections', 'mailboxes'],
  connections: ['causes'],
  customers: ['api-keys', 'plans'],
  health: [],
  imports: ['causes', 'checks', 'connections', 'mailboxes', 'plans'],
  mailboxes: ['causes'],
  operations: [],
  plans: [],
};

/** The same within shared/imports, for the folders that a row passes through and the ledger below them. */
const importFolderArrows: Record<string, readonly string[]> = {
  upload: [],
  ledger: [],
  planning: ['ledger', 'upload'],
  checking: ['ledger'],
  finishing: ['ledger', 'upload'],
  dispatching: ['finishing', 'ledger'],
};

/**
 * Whose packages may be seen where. A feature's say nothing about a vendor; `adapters` and `wiring` are where vendors
 * stop, so they may use what they need.
 */
const mayUse: Record<string, readonly string[]> = {
  // For its pattern of an address.
  kernel: ['zod'],
  feature: ['zod', 'csv-parse', 'p-limit', 'lru-cache', 'iso8601-duration', '@fastify/busboy'],
  edge: ['zod', '@azure/functions'],
  functions: ['zod', 'p-limit', '@azure/functions'],
};

const ours = globSync('{functions,shared}/**/*.ts').sort();
const sources = globSync('{functions,shared,local}/**/*.ts').sort();

function layerOf(file: string): string {
  const [top, folder = ''] = file.split(path.sep);
  if (top !== 'shared') return top ?? '';
  return folder in mayImport ? folder : 'feature';
}

/** Every module that a file names: imports, re-exports, imports for their effect, and dynamic ones. */
function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(
    /(?:^import |^(?:import|export|\}) [^'"\n]*from |\bimport\()['"]([^'"\n]+)['"]/gm,
  );
  return [...found].map(([, target = '']) => target);
}

const isRelative = (target: string) => target.startsWith('.');
const packageOf = (target: string) =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');

/** The file that a relative import names, from the root. */
const targetOf = (file: string, target: string) => path.normalize(path.join(path.dirname(file), target));

it('finds what it looks at', () => {
  expect(ours.length).toBeGreaterThan(100);
  expect(ours.filter((file) => importsOf(file).some(isRelative)).length).toBeGreaterThan(100);
  expect(importsOf('functions/index.ts')).toContain('../shared/wiring/build-deps.ts');
});

it('imports only point inwards, and never into the local stack', () => {
  const outward: string[] = [];
  for (const file of ours) {
    for (const target of importsOf(file).filter(isRelative)) {
      const from = layerOf(file);
      const to = layerOf(targetOf(file, target));
      if (from !== to && !mayImport[from]?.includes(to)) outward.push(`${file} -> ${target}`);
    }
  }
  expect(outward).toEqual([]);
});

/** Which folder uses which other folder below `root`, each arrow once, sorted. */
function arrowsBelow(root: string): Record<string, string[]> {
  const folderOf = (file: string) => path.relative(root, file).split(path.sep);
  const arrows: Record<string, Set<string>> = {};
  for (const file of ours.filter((one) => one.startsWith(root + path.sep) && folderOf(one).length > 1)) {
    const [from = ''] = folderOf(file);
    arrows[from] ??= new Set();
    for (const target of importsOf(file).filter(isRelative)) {
      const [to = '', ...rest] = folderOf(targetOf(file, target));
      if (to !== '..' && rest.length > 0 && to !== from) arrows[from].add(to);
    }
  }
  return Object.fromEntries(Object.entries(arrows).map(([from, to]) => [from, [...to].sort()]));
}

function expectNoCircle(arrows: Record<string, readonly string[]>): void {
  const left = new Map(Object.entries(arrows));
  for (let found = true; found; ) {
    found = false;
    for (const [from, to] of left) {
      if (to.some((one) => left.has(one))) continue;
      left.delete(from);
      found = true;
    }
  }
  expect([...left.keys()]).toEqual([]);
}

it('lets a feature use only the features that are listed for it, in no circle', () => {
  const layers = new Set(Object.keys(mayImport));
  const arrows = Object.entries(arrowsBelow('shared')).filter(([from]) => !layers.has(from));
  const ofFeatures = arrows.map(([from, to]) => [from, to.filter((one) => !layers.has(one))]);
  expect(Object.fromEntries(ofFeatures)).toEqual(featureArrows);
  expectNoCircle(featureArrows);
});

it('lets the folders of an import use only the folders below them', () => {
  expect(arrowsBelow(path.join('shared', 'imports'))).toEqual(importFolderArrows);
  expectNoCircle(importFolderArrows);
});

it('puts everything together in one place: only the entry point builds, only build-deps and what it is made of import adapters', () => {
  const importing = (isMeant: (target: string) => boolean) =>
    ours.filter((file) => importsOf(file).some((target) => isRelative(target) && isMeant(targetOf(file, target))));
  expect(importing((target) => target === path.join('shared', 'wiring', 'build-deps.ts'))).toEqual([
    path.join('functions', 'index.ts'),
  ]);
  const ofAdapters = importing((target) => layerOf(target) === 'adapters').filter((f) => layerOf(f) !== 'adapters');
  expect(new Set(ofAdapters.map((file) => path.basename(file).replace(/-.*/, '-')))).toEqual(new Set(['build-']));
});

it('keeps vendors in adapters, and the platform at the edge', () => {
  const strangers: string[] = [];
  for (const file of ours) {
    const allowed = mayUse[layerOf(file)];
    for (const target of importsOf(file)) {
      if (isRelative(target) || target.startsWith('node:')) continue;
      if (allowed && !allowed.includes(packageOf(target))) strangers.push(`${file} -> ${target}`);
    }
  }
  expect(strangers).toEqual([]);
});

const simulator = path.join('local', 'microsoft365') + path.sep;
const ofSimulator = sources.filter((file) => file.startsWith(simulator));

it('lets the simulator stand alone: it imports nothing of ours from outside its folder', () => {
  expect(ofSimulator.length).toBeGreaterThan(50);
  const outward = ofSimulator.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && !targetOf(file, target).startsWith(simulator))
      .map((target) => `${file} -> ${target}`),
  );
  expect(outward).toEqual([]);
});

it('keeps the product out of the simulator: neither its name nor its cause codes', () => {
  // A single word, such as `throttled`, is plain English. Only the product would write the other codes.
  const codes = causeCodes.filter((code) => code.includes('_'));
  expect(codes.length).toBeGreaterThan(30);
  const ofProduct = new RegExp(`muster|\\b(${codes.join('|')})\\b`, 'gi');
  const texts = [...ofSimulator, path.join(simulator, 'README.md')];
  const found = texts.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(ofProduct)].map(([word]) => `${file}: ${word}`),
  );
  expect(found).toEqual([]);
});

it('lets the vault and the storage stand-in know nothing of the simulator', () => {
  const standIns = globSync(['local/key-vault/**/*.ts', 'local/storage*.ts']);
  expect(standIns.length).toBeGreaterThan(5);
  const known = standIns.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && targetOf(file, target).startsWith(simulator))
      .map((target) => `${file} -> ${target}`),
  );
  expect(known).toEqual([]);
});

it('writes every relative import as Node reads it, with its ending', () => {
  const bare = sources.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && !/\.(ts|json)$/.test(target))
      .map((target) => `${file} -> ${target}`),
  );
  expect(bare).toEqual([]);
});

it('reads the environment in one place', () => {
  const readers = ours.filter((file) =>
    /\bprocess\.env\b|\benv\b.* from 'node:process'/.test(readFileSync(file, 'utf8')),
  );
  expect(readers).toEqual([path.join('functions', 'index.ts')]);
});

it('reveals secrets in adapters and wiring only', () => {
  const revealing = ours.filter((file) => /\.reveal\(\)/.test(readFileSync(file, 'utf8')));
  const elsewhere = revealing.filter((file) => !['adapters', 'wiring'].includes(layerOf(file)));
  expect(elsewhere).toEqual([]);
});

it('has no file that everything ends up in', () => {
  expect(sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)).toEqual([]);
});

it('records no download address in the lock file', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, object> };
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(Object.keys(packages).filter((name) => 'resolved' in (packages[name] ?? {}))).toEqual([]);
});
