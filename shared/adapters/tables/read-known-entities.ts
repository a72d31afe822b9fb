import { odata, type TableClient } from '@azure/data-tables';
import { undefinedOn } from '../storage-errors.ts';
import { type Entity, PAGE_MAX, readEntities } from './read-entities.ts';

/** Requests under way at the same time when the keys lie far apart. */
const CONCURRENT_MAX = 8;
/**
 * The size of a page for each key that it may answer: all keys at first, then as many as the last page has answered.
 * Another request costs about as much as a few hundred more entities in a page.
 */
const ENTITIES_PER_KEY = 100;

/**
 * Reads the entities with these keys of one partition, and leaves out the absent ones.
 *
 * Table Storage has no request for several keys: it answers `RowKey eq … or RowKey eq …` by reading the whole partition.
 * It does read a range efficiently. So this reads the range that begins at the first key, goes on at the first key
 * behind the page it got, and so on. Where the partition has most of the keys, one page answers hundreds of them. Where
 * they lie far apart, a page answers one key, as reading it alone would. Pages are small then.
 */
export async function readKnownEntities(
  table: TableClient,
  partitionKey: string,
  keys: readonly string[],
): Promise<Entity[]> {
  if (keys.length === 0) return [];
  const sorted = [...new Set(keys)].sort(byCodeUnit);
  const first = await readPageFrom(table, partitionKey, sorted, sizeFor(sorted.length));
  const rest = sorted.slice(first.answered);
  const groups = first.nextSize === PAGE_MAX ? [rest] : split(rest, CONCURRENT_MAX);
  const found = await Promise.all(groups.map((group) => readAll(table, partitionKey, group, first.nextSize)));
  return [first.found, ...found].flat();
}

async function readAll(
  table: TableClient,
  partitionKey: string,
  sorted: readonly string[],
  firstSize: number,
): Promise<Entity[]> {
  const found: Entity[] = [];
  let size = firstSize;
  for (let at = 0; at < sorted.length; ) {
    const page = await readPageFrom(table, partitionKey, sorted.slice(at), size);
    found.push(...page.found);
    at += page.answered;
    size = page.nextSize;
  }
  return found;
}

interface PageOfKeys {
  found: Entity[];
  /** How many of the first keys are known now to exist or not. */
  answered: number;
  nextSize: number;
}

async function readPageFrom(
  table: TableClient,
  partitionKey: string,
  sorted: readonly string[],
  size: number,
): Promise<PageOfKeys> {
  const [first = ''] = sorted;
  const last = sorted.at(-1) ?? '';
  if (sorted.length <= 1) {
    const entity = await undefinedOn([404], table.getEntity<Record<string, unknown>>(partitionKey, first));
    return { found: entity ? [entity] : [], answered: sorted.length, nextSize: size };
  }
  const filter = odata`PartitionKey eq ${partitionKey} and RowKey ge ${first} and RowKey le ${last}`;
  const { items } = await readEntities(table, filter, { limit: size });
  const reached = items.length < size ? last : (items.at(-1)?.rowKey ?? last);
  const beyond = sorted.findIndex((key) => key > reached);
  const answered = beyond === -1 ? sorted.length : beyond;
  const wanted = new Set(sorted.slice(0, answered));
  return {
    found: items.filter(({ rowKey }) => wanted.has(rowKey ?? '')),
    answered,
    nextSize: sizeFor(answered),
  };
}

function sizeFor(keys: number): number {
  return Math.min(PAGE_MAX, ENTITIES_PER_KEY * keys);
}

/** The order of keys in a table. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** At most `count` groups of neighbours. */
function split<T>(items: readonly T[], count: number): T[][] {
  const size = Math.max(1, Math.ceil(items.length / count));
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
