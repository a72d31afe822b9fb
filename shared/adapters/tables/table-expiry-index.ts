import { odata, type TableClient } from '@azure/data-tables';
import type { ExpiryEntry, ExpiryIndex, ExpiryKey } from '../../connections/expiry/expiry-index.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity, readEntities } from './read-entities.ts';

const columns: Columns<ExpiryEntry> = {
  customerId: 'text',
  connectionId: 'text',
  expiresAt: 'instant',
  notedAt: 'instant',
};

/** The partition with the entries of all customers. No customer has this ID. */
const ALL = 'expiring';
const partitionOf = (customerId: string) => escapeKey(`${ALL}:${customerId}`);
/** RFC 3339 text sorts by time. */
const rowKeyOf = ({ expiresAt, connectionId }: ExpiryKey) => `${expiresAt.toISOString()}:${escapeKey(connectionId)}`;

/** Each entry twice, in a partition of all customers and in one of its customer, beside the connections. */
export function tableExpiryIndex(table: TableClient): ExpiryIndex {
  const partitionsOf = ({ customerId }: ExpiryKey) => [ALL, partitionOf(customerId)];
  const eachIn = async function* (partitionKey: string) {
    for await (const entity of eachEntity(table, odata`PartitionKey eq ${partitionKey}`)) {
      yield fromProperties(columns, entity);
    }
  };

  const index: ExpiryIndex = {
    async put(entry) {
      for (const partitionKey of partitionsOf(entry)) {
        const entity = { partitionKey, rowKey: rowKeyOf(entry), ...toProperties(columns, entry) };
        await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
      }
    },
    async remove(entry) {
      for (const partitionKey of partitionsOf(entry)) {
        await undefinedOn([404], table.deleteEntity(partitionKey, rowKeyOf(entry)));
      }
    },
    async list(customerId, { until, limit, cursor = '' }) {
      const partitionKey = customerId === undefined ? ALL : partitionOf(customerId);
      // `;` is the character after `:`, so the last instant is included.
      const filter = odata`PartitionKey eq ${partitionKey} and RowKey gt ${cursor} and RowKey lt ${`${until.toISOString()};`}`;
      const page = await readEntities(table, filter, { limit });
      const items = page.items.map((entity) => fromProperties(columns, entity));
      const last = page.items.at(-1)?.rowKey;
      return page.cursor === undefined || last === undefined ? { items } : { items, cursor: last };
    },
    each: () => eachIn(ALL),
    async purge(customerId) {
      for await (const entry of eachIn(partitionOf(customerId))) await index.remove(entry);
    },
  };
  return index;
}
