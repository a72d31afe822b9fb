import { odata, type TableClient } from '@azure/data-tables';
import { undefinedOn } from '../storage-errors.ts';
import { type Entity, PAGE_MAX, readEntities } from './read-entities.ts';

/** Requests under way at the same time when entities are read one by one. */
const CONCURRENT_MAX = 4;

/**
 * Reads the entities with these keys of one partition, as `readKnownEntities` does, but with at most `requestsMax`
 * requests. It is known of the first `answered` keys whether they exist, in the order in which they are given, and of at
 * least one.
 *
 * It reads ranges for as long as these can answer all keys. If they cannot, because too much lies between the keys, it
 * reads the first ones alone.
 *
 * @param requestsMax at least 2
 */
export async function peekKnownEntities(
  table: TableClient,
  partitionKey: string,
  keys: readonly string[],
  { requestsMax, select }: { requestsMax: number; select: string[] },
): Promise<{ found: Map<string, Entity>; answered: number }> {
  const distinct = new Set(keys);
  const found = new Map<string, Entity>();
  let unknown = [...distinct].sort();
  let requestsLeft = requestsMax;
  let pagesNeeded = 1;
  while (unknown.length > 0 && pagesNeeded < requestsLeft) {
    const [first = ''] = unknown;
    const last = unknown.at(-1) ?? '';
    const filter = odata`PartitionKey eq ${partitionKey} and RowKey ge ${first} and RowKey le ${last}`;
    const { items, cursor } = await readEntities(table, filter, { limit: PAGE_MAX, requestsMax: 1, select });
    requestsLeft--;
    for (const item of items) if (distinct.has(item.rowKey ?? '')) found.set(item.rowKey ?? '', item);
    const reached = cursor === undefined ? last : (items.at(-1)?.rowKey ?? '');
    const rest = unknown.filter((key) => key > reached);
    pagesNeeded = Math.ceil(rest.length / (unknown.length - rest.length));
    unknown = rest;
  }
  const open = new Set(unknown);
  const alone = [...distinct].filter((key) => open.has(key)).slice(0, requestsLeft);
  for (let from = 0; from < alone.length; from += CONCURRENT_MAX) {
    const reads = alone.slice(from, from + CONCURRENT_MAX).map(async (key) => {
      const read = table.getEntity<Record<string, unknown>>(partitionKey, key, { queryOptions: { select } });
      const entity = await undefinedOn([404], read);
      if (entity) found.set(key, entity);
      open.delete(key);
    });
    await Promise.all(reads);
  }
  const beyond = keys.findIndex((key) => open.has(key));
  return { found, answered: beyond === -1 ? keys.length : beyond };
}
