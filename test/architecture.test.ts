import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** Who may import whom. `feature` is any other folder in shared/. */
const mayImport: Record<string, readonly string[]> = {
  kernel: [],
  feature: ['kernel', 'feature'],
  edge: ['kernel'],
  adapters: ['kernel', 'feature'],
  wiring: ['kernel', 'feature', 'adapters'],
  functions: ['kernel', 'feature', 'edge', 'wiring'],
};

/** Packages that say nothing about a vendor: rules may use them. */
const plainPackages = new Set(['zod', 'csv-parse', 'p-limit', 'lru-cache', 'iso8601-duration', '@fastify/busboy']);

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file.endsWith('.ts'));
const ours = tracked.filter((file) => /^(functions|shared)\//.test(file));

function layerOf(file: string): string {
  const [top, folder = ''] = file.split('/');
  if (top !== 'shared') return top ?? '';
  return folder in mayImport ? folder : 'feature';
}

function importsOf(file: string): string[] {
  const statements = readFileSync(file, 'utf8').matchAll(/(?:^import |\bfrom )'([^'\n]+)';$/gm);
  return [...statements].map(([, target = '']) => target);
}

it('imports only point inwards, and never into the local stack', () => {
  const outward: string[] = [];
  for (const file of ours) {
    for (const target of importsOf(file).filter((name) => name.startsWith('.'))) {
      const from = layerOf(file);
      const to = layerOf(path.posix.normalize(path.posix.join(path.posix.dirname(file), target)));
      if (from !== to && !mayImport[from]?.includes(to)) outward.push(`${file} -> ${target}`);
    }
  }
  expect(outward).toEqual([]);
});

it('puts everything together in one place: only the entry point builds, only wiring imports adapters', () => {
  const builders = ours.filter((file) => importsOf(file).some((target) => target.endsWith('wiring/build-deps.ts')));
  expect(builders).toEqual(['functions/index.ts']);
});

it('keeps vendors out of the rules', () => {
  const vendors: string[] = [];
  for (const file of ours.filter((name) => ['kernel', 'feature'].includes(layerOf(name)))) {
    for (const target of importsOf(file)) {
      if (target.startsWith('.') || target.startsWith('node:')) continue;
      const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0];
      if (!plainPackages.has(name ?? '')) vendors.push(`${file} -> ${target}`);
    }
  }
  expect(vendors).toEqual([]);
});

it('reads the environment in one place', () => {
  const readers = ours.filter((file) => readFileSync(file, 'utf8').includes('process.env'));
  expect(readers).toEqual(['functions/index.ts']);
});

it('reveals secrets in adapters and wiring only, and where a pasted id is recognised', () => {
  const revealing = ours.filter((file) => /\.reveal\(\)/.test(readFileSync(file, 'utf8')));
  const elsewhere = revealing.filter((file) => !/^shared\/(adapters|wiring)\//.test(file));
  expect(elsewhere).toEqual(['shared/connections/register-connection.ts']);
});

it('has no file that everything ends up in', () => {
  const long = tracked
    .filter((file) => /^(functions|shared|local)\//.test(file))
    .filter((file) => readFileSync(file, 'utf8').split('\n').length > 400);
  expect(long).toEqual([]);
});

it('records no download address in the lock file', () => {
  expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved":/);
});
