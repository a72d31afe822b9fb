import { odata, type TableClient } from '@azure/data-tables';
import type { ApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import { quotaReached } from '../../kernel/quota.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { createWithinQuota } from './create-within-quota.ts';
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
  lastUsedAt: 'instant',
  replacedBy: 'text',
};

/** The row that makes quotas exact, see `createWithinQuota`. IDs of keys begin with `key_`, so no key is in its place. */
const GUARD = 'quota';
const { from, to } = { from: 'key_', to: 'key`' };
const keys = odata`RowKey ge ${from} and RowKey lt ${to}`;
const operators = odata`role eq ${'operator'}`;
const customers = odata`role ne ${'operator'}`;

/** API keys, hashed, with a partition for each customer. */
export function tableApiKeys(table: TableClient): ApiKeyStore {
  const toEntity = (key: ApiKey) => ({
    partitionKey: escapeKey(key.customerId),
    rowKey: escapeKey(key.id),
    ...toProperties(columns, key),
  });

  return {
    get: (customerId, keyId) => readEntity(table, columns, escapeKey(customerId), escapeKey(keyId)),
    list(customerId, request, roles) {
      const own = `${odata`PartitionKey eq ${escapeKey(customerId)}`} and ${keys}`;
      const only = roles ? ` and (${roles.map((role) => odata`role eq ${role}`).join(' or ')})` : '';
      return readPage(table, columns, `${own}${only}`, request);
    },
    async insert(key, keysMax) {
      const own = odata`RowKey ne ${escapeKey(key.id)}`;
      const counted = `${keys} and ${own} and ${key.role === 'operator' ? operators : customers}`;
      const quota = { partitionKey: escapeKey(key.customerId), guard: GUARD, counted, max: keysMax };
      if ((await createWithinQuota(table, quota, [['upsert', toEntity(key)]])) === 'full') {
        throw quotaReached('API keys', keysMax, 'Revoke the keys that you no longer need. Expired keys count too.');
      }
    },
    async update(key, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(key), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(customerId, keyId) {
      await undefinedOn([404], table.deleteEntity(escapeKey(customerId), escapeKey(keyId)));
    },
    purge: (customerId) =>
      purgePartition(table, escapeKey(customerId), `(${customers} or ${odata`RowKey eq ${GUARD}`})`),
  };
}
