import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { causeCodes } from '../shared/causes/causes.ts';

/** Which layers a layer may import. `feature` is any other folder in shared/. */
const mayImport: Record<string, readonly string[]> = {
  kernel: [],
  feature: ['kernel', 'feature'],
  edge: ['kernel'],
  adapters: ['kernel', 'feature'],
  wiring: ['kernel', 'feature', 'edge', 'adapters'],
  functions: ['kernel', 'feature', 'edge', 'wiring'],
};

/** Which other features a feature may use. A new arrow is a decision: add it here, or find another way. */
const featureArrows: Record<string, readonly string[]> = {
  alerts: ['connections'],
  'api-keys': [],
  audit: [],
  causes: [],
  checks: ['causes', 'connections', 'mailboxes'],
  connections: ['causes'],
  customers: ['api-keys', 'plans'],
  directory: ['causes', 'checks', 'connections', 'imports', 'mailboxes'],
  health: [],
  imports: ['causes', 'checks', 'connections', 'mailboxes', 'plans'],
  mailboxes: ['causes'],
  operations: ['connections', 'health', 'imports', 'webhooks'],
  plans: [],
  setup: ['connections'],
  webhooks: ['causes', 'connections', 'imports'],
};

/** Which other folders of its parent a folder may use, where a feature or a layer has folders of its own. */
const folderArrows: Record<string, Record<string, readonly string[]>> = {
  connections: {
    credentials: [],
    consent: [],
    expiry: ['credentials'],
    grants: [],
    lifecycle: ['consent', 'credentials', 'expiry', 'readiness', 'replacing', 'tenant'],
    readiness: ['expiry', 'tenant'],
    replacing: ['credentials', 'expiry', 'readiness'],
    tenant: [],
  },
  edge: {
    admission: ['answers', 'bodies', 'requests'],
    answers: ['telemetry'],
    background: ['telemetry'],
    bodies: ['answers', 'requests'],
    requests: [],
    routes: ['admission', 'answers', 'bodies', 'requests', 'streaming'],
    streaming: ['admission', 'answers'],
    telemetry: [],
  },
  imports: {
    upload: [],
    actions: ['ledger', 'upload'],
    control: [],
    domains: ['upload'],
    ledger: [],
    planning: ['actions', 'control', 'domains', 'ledger', 'upload'],
    retention: ['ledger', 'upload'],
    reports: ['ledger', 'upload'],
    pacing: ['ledger'],
    progress: ['ledger'],
    refusals: ['control', 'ledger'],
    checking: ['control', 'ledger', 'refusals'],
    reconciling: ['ledger'],
    starting: ['actions', 'domains', 'ledger', 'planning', 'retention', 'upload'],
    reverifying: ['control', 'ledger', 'progress', 'starting'],
    finishing: ['actions', 'control', 'ledger', 'retention', 'upload'],
    dispatching: ['finishing', 'ledger', 'pacing', 'refusals', 'retention'],
    'one-mailbox': ['actions', 'dispatching', 'ledger', 'planning', 'starting'],
    recovering: ['control', 'dispatching', 'ledger', 'planning'],
    events: ['ledger', 'progress'],
  },
};

/** Which packages a layer may use. `adapters` and `wiring` may use any package; no vendor appears elsewhere. */
const mayUse: Record<string, readonly string[]> = {
  // `zod` for its pattern of an e-mail address.
  kernel: ['zod', 'p-limit'],
  feature: [
    'zod',
    'csv-parse',
    'csv-stringify',
    'p-limit',
    'lru-cache',
    'iso8601-duration',
    '@fastify/busboy',
    'saxes',
    'yauzl',
  ],
  edge: ['zod', 'zod-openapi', '@azure/functions', '@opentelemetry/api', 'limiter', 'lru-cache', 'p-limit'],
  functions: ['zod', 'p-limit', '@azure/functions'],
};

const appSources = globSync('{functions,shared}/**/*.ts').sort();
const sources = globSync('{functions,shared,local}/**/*.ts').sort();

function layerOf(file: string): string {
  const [top, folder = ''] = file.split(path.sep);
  if (top !== 'shared') return top ?? '';
  return folder in mayImport ? folder : 'feature';
}

/** Every module that a file imports or re-exports, dynamic imports included. */
function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(
    /(?:^import |^(?:import|export|\}) [^'"\n]*from |\bimport\()['"]([^'"\n]+)['"]/gm,
  );
  return [...found].map(([, target = '']) => target);
}

/** The relative modules that a file imports or re-exports more than types of. */
function valueImportsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^'";]*?from ['"](\.[^'"]+)['"]/gm);
  return [...found].map(([, target = '']) => target);
}

const isRelative = (target: string) => target.startsWith('.');
const packageOf = (target: string) =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');

/** The path of a relatively imported file, from the root of the repository. */
const targetOf = (file: string, target: string) => path.normalize(path.join(path.dirname(file), target));

it('finds the sources and their imports', () => {
  expect(appSources.length).toBeGreaterThan(100);
  expect(appSources.filter((file) => importsOf(file).some(isRelative)).length).toBeGreaterThan(100);
  expect(importsOf('functions/index.ts')).toContain('../shared/wiring/build-deps.ts');
});

it('imports point inwards only, and never into the local stack', () => {
  const outward: string[] = [];
  for (const file of appSources) {
    for (const target of importsOf(file).filter(isRelative)) {
      const from = layerOf(file);
      const to = layerOf(targetOf(file, target));
      if (from !== to && !mayImport[from]?.includes(to)) outward.push(`${file} -> ${target}`);
    }
  }
  expect(outward).toEqual([]);
});

/** For each folder below `root`, the other folders that it uses, sorted. */
function arrowsBelow(root: string): Record<string, string[]> {
  const folderOf = (file: string) => path.relative(root, file).split(path.sep);
  const arrows: Record<string, Set<string>> = {};
  for (const file of appSources.filter((one) => one.startsWith(root + path.sep) && folderOf(one).length > 1)) {
    const [from = ''] = folderOf(file);
    arrows[from] ??= new Set();
    for (const target of importsOf(file).filter(isRelative)) {
      const [to = '', ...rest] = folderOf(targetOf(file, target));
      if (to !== '..' && rest.length > 0 && to !== from) arrows[from].add(to);
    }
  }
  return Object.fromEntries(Object.entries(arrows).map(([from, to]) => [from, [...to].sort()]));
}

function expectNoCycle(arrows: Record<string, readonly string[]>): void {
  const remaining = new Map(Object.entries(arrows));
  for (let found = true; found; ) {
    found = false;
    for (const [from, to] of remaining) {
      if (to.some((one) => remaining.has(one))) continue;
      remaining.delete(from);
      found = true;
    }
  }
  expect([...remaining.keys()]).toEqual([]);
}

it('features use only the features that are listed for them, without a cycle', () => {
  const layers = new Set(Object.keys(mayImport));
  const arrows = Object.entries(arrowsBelow('shared')).filter(([from]) => !layers.has(from));
  const ofFeatures = arrows.map(([from, to]) => [from, to.filter((one) => !layers.has(one))]);
  expect(Object.fromEntries(ofFeatures)).toEqual(featureArrows);
  expectNoCycle(featureArrows);
});

it.each(Object.keys(folderArrows))(
  'the folders of shared/%s use only those listed for them, without a cycle',
  (parent) => {
    const listed = folderArrows[parent] ?? {};
    expect(arrowsBelow(path.join('shared', parent))).toEqual(listed);
    expectNoCycle(listed);
  },
);

it.each(Object.keys(folderArrows))('the files beside the folders of shared/%s take only types from them', (parent) => {
  const root = path.join('shared', parent);
  const beside = appSources.filter((file) => path.dirname(file) === root);
  const used = beside.flatMap((file) => valueImportsOf(file).map((target) => [file, targetOf(file, target)] as const));
  const fromFolders = used.filter(([, to]) => to.startsWith(root + path.sep) && path.dirname(to) !== root);
  expect(fromFolders).toEqual([]);
});

it('only the entry point builds the app, and only build-… files import adapters', () => {
  const importing = (isMeant: (target: string) => boolean) =>
    appSources.filter((file) =>
      importsOf(file).some((target) => isRelative(target) && isMeant(targetOf(file, target))),
    );
  expect(importing((target) => target === path.join('shared', 'wiring', 'build-deps.ts'))).toEqual([
    path.join('functions', 'index.ts'),
  ]);
  const ofAdapters = importing((target) => layerOf(target) === 'adapters').filter((f) => layerOf(f) !== 'adapters');
  expect(new Set(ofAdapters.map((file) => path.basename(file).replace(/-.*/, '-')))).toEqual(new Set(['build-']));
});

it('packages of vendors stay in adapters, and the Functions library at the edge', () => {
  const forbidden: string[] = [];
  for (const file of appSources) {
    const allowed = mayUse[layerOf(file)];
    for (const target of importsOf(file)) {
      if (isRelative(target) || target.startsWith('node:')) continue;
      if (allowed && !allowed.includes(packageOf(target))) forbidden.push(`${file} -> ${target}`);
    }
  }
  expect(forbidden).toEqual([]);
});

const simulator = path.join('local', 'microsoft365') + path.sep;
const ofSimulator = sources.filter((file) => file.startsWith(simulator));

it('the simulator imports no other file of the repository', () => {
  expect(ofSimulator.length).toBeGreaterThan(50);
  const outward = ofSimulator.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && !targetOf(file, target).startsWith(simulator))
      .map((target) => `${file} -> ${target}`),
  );
  expect(outward).toEqual([]);
});

it('the simulator knows neither the name of the product nor its cause codes', () => {
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

it('the local vault and storage do not use the simulator', () => {
  const vaultAndStorage = globSync(['local/key-vault/**/*.ts', 'local/storage*.ts']);
  expect(vaultAndStorage.length).toBeGreaterThan(5);
  const known = vaultAndStorage.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && targetOf(file, target).startsWith(simulator))
      .map((target) => `${file} -> ${target}`),
  );
  expect(known).toEqual([]);
});

it('every relative import ends in .ts or .json, as Node requires', () => {
  const bare = sources.flatMap((file) =>
    importsOf(file)
      .filter((target) => isRelative(target) && !/\.(ts|json)$/.test(target))
      .map((target) => `${file} -> ${target}`),
  );
  expect(bare).toEqual([]);
});

it('only the entry point reads the environment', () => {
  const readers = appSources.filter((file) =>
    /\bprocess\.env\b|\benv\b.* from 'node:process'/.test(readFileSync(file, 'utf8')),
  );
  expect(readers).toEqual([path.join('functions', 'index.ts')]);
});

it('only adapters and wiring reveal secrets', () => {
  const revealing = appSources.filter((file) => /\.reveal\(\)/.test(readFileSync(file, 'utf8')));
  const elsewhere = revealing.filter((file) => !['adapters', 'wiring'].includes(layerOf(file)));
  expect(elsewhere).toEqual([]);
});

it('no source file has more than 400 lines', () => {
  expect(sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)).toEqual([]);
});

it('the lock file contains no download addresses', () => {
  const { packages }: { packages: Record<string, { resolved?: string; link?: true }> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  );
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  const resolved = Object.values(packages).filter((one) => one.resolved !== undefined);
  // The link to a workspace is a path in this repository.
  expect(resolved).toEqual([{ resolved: 'clients/typescript', link: true }]);
});
