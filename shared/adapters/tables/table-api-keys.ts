import { odata, type TableClient } from '@azure/data-tables';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { readPage } from './read-page.ts';
import { unless } from './table-errors.ts';

const columns: Columns<ApiKey> = {
  id: 'text',
  customerId: 'text',
  name: 'text',
  role: 'text',
  hash: 'text',
  createdAt: 'instant',
  expiresAt: 'instant',
};

/** API keys, hashed, a partition for each customer. */
export function tableApiKeys(table: TableClient): ApiKeyStore {
  return {
    async get(customerId, keyId) {
      const read = table.getEntity<Record<string, unknown>>(escapeKey(customerId), escapeKey(keyId));
      const entity = await unless(read, 404);
      return entity && fromProperties<ApiKey>(columns, entity);
    },
    async list(customerId, request, roles) {
      const own = odata`PartitionKey eq ${escapeKey(customerId)}`;
      const only = roles ? ` and (${roles.map((role) => odata`role eq ${role}`).join(' or ')})` : '';
      const page = await readPage(table, `${own}${only}`, request);
      return { ...page, items: page.items.map((entity) => fromProperties<ApiKey>(columns, entity)) };
    },
    async insert(key) {
      const keys = { partitionKey: escapeKey(key.customerId), rowKey: escapeKey(key.id) };
      await unless(table.createEntity({ ...keys, ...toProperties(columns, key) }));
    },
    async remove(customerId, keyId) {
      await unless(table.deleteEntity(escapeKey(customerId), escapeKey(keyId)), 404);
    },
    purge: (customerId) => purgePartition(table, escapeKey(customerId)),
  };
}
