import { odata, type TableClient } from '@azure/data-tables';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { readEntity, readPage } from './read-entities.ts';

const columns: Columns<ApiKey> = {
  id: 'text',
  customerId: 'text',
  name: 'text',
  role: 'text',
  hash: 'text',
  createdAt: 'instant',
  expiresAt: 'instant',
};

/** API keys, hashed, with a partition for each customer. */
export function tableApiKeys(table: TableClient): ApiKeyStore {
  return {
    async get(customerId, keyId) {
      return (await readEntity(table, columns, escapeKey(customerId), escapeKey(keyId)))?.value;
    },
    list(customerId, request, roles) {
      const own = odata`PartitionKey eq ${escapeKey(customerId)}`;
      const only = roles ? ` and (${roles.map((role) => odata`role eq ${role}`).join(' or ')})` : '';
      return readPage(table, columns, `${own}${only}`, request);
    },
    async insert(key) {
      const keys = { partitionKey: escapeKey(key.customerId), rowKey: escapeKey(key.id) };
      await translateStorageErrors(table.upsertEntity({ ...keys, ...toProperties(columns, key) }, 'Replace'));
    },
    async remove(customerId, keyId) {
      await undefinedOn([404], table.deleteEntity(escapeKey(customerId), escapeKey(keyId)));
    },
    purge: (customerId) => purgePartition(table, escapeKey(customerId), odata`role ne ${'operator'}`),
  };
}
