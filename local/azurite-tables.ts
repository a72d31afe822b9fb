import { createRequire } from 'node:module';
import { createSortedEntities, type EntityKey, isBefore, type SortedEntities } from './sorted-entities.ts';

/** The part of a table's collection that is used here. */
interface Collection {
  data: EntityKey[];
  binaryIndices: object;
  findOne(query: EntityKey): EntityKey | null;
  on(event: 'insert' | 'update' | 'delete', listener: (entity: EntityKey) => void): void;
}

/** The part of Azurite's table store that is used here. */
export interface TableStore {
  getEntityCollection(account: string, table: string, context: unknown): Collection;
  getMaxResultsOption(query: Query): number;
  decodeContinuationHeader(key: string | undefined): string | undefined;
  /** Removes the entity that is one too many, and returns its key. */
  adjustQueryResultforTop(
    found: EntityKey[],
    max: number,
  ): { nextPartitionKeyResponse?: string; nextRowKeyResponse?: string };
  queryTableEntities(
    context: unknown,
    account: string,
    table: string,
    query: Query,
    nextPartitionKey?: string,
    nextRowKey?: string,
  ): Promise<[EntityKey[], string | undefined, string | undefined]>;
}

interface Query {
  filter?: string;
  top?: number;
}

/** A node of a parsed filter. */
interface Filter {
  name: string;
  left?: Filter;
  right?: Filter;
  identifier?: string;
  value?: unknown;
}

const require = createRequire(import.meta.url);
const PERSISTENCE = 'azurite/dist/src/table/persistence';
const {
  default: generator,
}: { default: { generateQueryForPersistenceLayer(query: Query, context: unknown): (entity: EntityKey) => boolean } } =
  require(`${PERSISTENCE}/LokiTableStoreQueryGenerator.js`);
const { default: parseFilter }: { default: (filter: string) => Filter } = require(
  `${PERSISTENCE}/QueryInterpreter/QueryParser.js`,
);

/**
 * Makes Azurite's tables as fast as those of Azure where they are large: it reads a range of keys without looking at the
 * entities outside of it, and writes an entity without renumbering all others.
 *
 * With 40,000 entities, each query took 6 ms and each changed entity 0.17 ms, whatever the query and the change: Azurite
 * looks at every entity of the table for a query, and at the whole index of each key for a write. A million rows would
 * have taken days.
 */
export function keepTablesSorted(
  { prototype }: { prototype: TableStore } = require(`${PERSISTENCE}/LokiTableMetadataStore.js`).default,
): void {
  const sorted = new WeakMap<Collection, SortedEntities<EntityKey>>();
  const { getEntityCollection } = prototype;

  prototype.getEntityCollection = function getSorted(this: TableStore, account, table, context) {
    const collection = getEntityCollection.call(this, account, table, context);
    if (!sorted.has(collection)) sorted.set(collection, sortCollection(collection));
    return collection;
  };

  prototype.queryTableEntities = async function queryRange(
    this: TableStore,
    context,
    account,
    table,
    query,
    nextPartitionKey,
    nextRowKey,
  ) {
    const entities = sorted.get(this.getEntityCollection(account, table, context));
    const isWanted = generator.generateQueryForPersistenceLayer(query, context);
    const max = this.getMaxResultsOption(query);
    const { from, isBehind } = rangeOf(query.filter);
    const next = {
      PartitionKey: this.decodeContinuationHeader(nextPartitionKey) ?? '',
      RowKey: this.decodeContinuationHeader(nextRowKey) ?? '',
    };
    const found: EntityKey[] = [];
    for (const entity of entities?.from(isBefore(from, next) ? next : from) ?? []) {
      if (found.length > max || isBehind(entity)) break;
      if (isWanted(entity)) found.push(entity);
    }
    const { nextPartitionKeyResponse, nextRowKeyResponse } = this.adjustQueryResultforTop(found, max);
    return [found, nextPartitionKeyResponse, nextRowKeyResponse];
  };
}

/** The collection still holds the entities and saves them. Its own indexes are not needed any more. */
function sortCollection(collection: Collection): SortedEntities<EntityKey> {
  const entities = createSortedEntities(collection.data);
  collection.binaryIndices = {};
  collection.findOne = (key) => entities.find(key) ?? null;
  collection.on('insert', entities.put);
  collection.on('update', entities.put);
  collection.on('delete', entities.remove);
  return entities;
}

/** Where the entities lie that a filter can match. Entities between them may still not match. */
function rangeOf(filter: string | undefined): { from: EntityKey; isBehind(entity: EntityKey): boolean } {
  const conditions = filter === undefined || filter === '' ? [] : conditionsOf(parseFilter(filter));
  const boundOf = (key: string, operators: readonly string[]) =>
    conditions.find((one) => one.key === key && operators.includes(one.operator))?.value;
  const partition = boundOf('PartitionKey', ['eq']);
  if (partition === undefined) return { from: { PartitionKey: '', RowKey: '' }, isBehind: () => false };
  const to = boundOf('RowKey', ['eq', 'lt', 'le']);
  return {
    from: { PartitionKey: partition, RowKey: boundOf('RowKey', ['eq', 'gt', 'ge']) ?? '' },
    isBehind: ({ PartitionKey, RowKey }) => PartitionKey !== partition || (to !== undefined && RowKey > to),
  };
}

/** The comparisons with texts that must all hold. */
function conditionsOf({ name, left, right }: Filter): { key: string; operator: string; value: string }[] {
  if (!left || !right) return [];
  if (name === 'and') return [...conditionsOf(left), ...conditionsOf(right)];
  if (left.identifier === undefined || right.name !== 'constant' || typeof right.value !== 'string') return [];
  return [{ key: left.identifier, operator: name, value: right.value }];
}
