import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Func = (...args: never[]) => unknown;

export const SUBSCRIPTION = '/subscriptions/11111111-1111-4111-8111-111111111111';

const hash = (...parts: unknown[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function union(...all: unknown[]): unknown {
  if (all.every(isObject)) return Object.assign({}, ...all);
  return [...new Set(all.flat())];
}

function contains(where: string | unknown[] | object, what: unknown): boolean {
  if (typeof where === 'string') return where.includes(String(what));
  return Array.isArray(where) ? where.includes(what) : String(what) in where;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Bicep's functions, as far as `infra/` calls them. Hashes differ from Azure's, but are as stable. */
const functions: Record<string, Func> = {
  any: (value: unknown) => value,
  array: (value: unknown) => (Array.isArray(value) ? value : [value]),
  concat: (...all: unknown[]) => (all.every((one) => typeof one === 'string') ? all.join('') : all.flat()),
  contains,
  empty: (value: unknown) =>
    value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0),
  environment: () => ({
    name: 'AzureCloud',
    resourceManager: 'https://management.azure.com/',
    suffixes: { storage: 'core.windows.net', keyvaultDns: '.vault.azure.net' },
  }),
  filter: (list: unknown[], keeps: (item: unknown, index: number) => boolean) => list.filter(keeps),
  first: (list: unknown[]) => list[0],
  flatten: (lists: unknown[][]) => lists.flat(),
  format: (shape: string, ...args: unknown[]) => shape.replace(/\{(\d+)\}/g, (_, index) => text(args[Number(index)])),
  guid: (...parts: unknown[]) => hash(...parts).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'),
  indexOf: (where: string | unknown[], what: never) => where.indexOf(what),
  int: (value: unknown) => Number(value),
  items: (value: object) =>
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => ({ key, value: item })),
  join: (list: unknown[], between: string) => list.join(between),
  json: (value: string) => JSON.parse(value),
  last: (list: unknown[]) => list.at(-1),
  length: (value: string | unknown[]) => value.length,
  map: (list: unknown[], change: (item: unknown, index: number) => unknown) => list.map((one, i) => change(one, i)),
  max: (...numbers: (number | number[])[]) => Math.max(...numbers.flat()),
  min: (...numbers: (number | number[])[]) => Math.min(...numbers.flat()),
  range: (start: number, count: number) => Array.from({ length: count }, (_, index) => start + index),
  replace: (where: string, what: string, by: string) => where.replaceAll(what, by),
  split: (value: string, by: string) => value.split(by),
  startsWith: (value: string, start: string) => value.toLowerCase().startsWith(start.toLowerCase()),
  string: text,
  subscription: () => ({ id: SUBSCRIPTION, subscriptionId: SUBSCRIPTION.split('/').at(-1) }),
  subscriptionResourceId: (type: string, name: string) => `${SUBSCRIPTION}/providers/${type}/${name}`,
  tenant: () => ({ tenantId: '22222222-2222-4222-8222-222222222222' }),
  toLower: (value: string) => value.toLowerCase(),
  toUpper: (value: string) => value.toUpperCase(),
  trim: (value: string) => value.trim(),
  union,
  uniqueString: (...parts: unknown[]) => hash(...parts).slice(0, 13),
};

/** The functions that a file can call: these, and those that read files beside it. */
export function functionsOf(path: string, groupId: string): Record<string, Func> {
  const read = (relative: string) => readFileSync(join(dirname(path), relative), 'utf8');
  return {
    ...functions,
    loadTextContent: read,
    loadJsonContent: (relative: string) => JSON.parse(read(relative)),
    resourceGroup: () => ({ id: groupId, name: groupId.split('/').at(-1) }),
  };
}
