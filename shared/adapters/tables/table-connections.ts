import { createHash } from 'node:crypto';
import { odata, type TableClient } from '@azure/data-tables';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { DomainError } from '../../kernel/errors.ts';
import { quotaReached } from '../../kernel/quota.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { createWithinQuota } from './create-within-quota.ts';
import { newestFirst } from './newest-first.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity, readEntity, readPage } from './read-entities.ts';

const columns: Columns<Connection> = {
  id: 'text',
  customerId: 'text',
  name: 'text',
  cloud: 'text',
  tenantId: 'text',
  tenantDomain: 'text',
  verifiedDomains: 'json',
  clientId: 'text',
  clientSecretVersion: 'text',
  clientSecretExpiresAt: 'instant',
  clientSecretState: 'text',
  probes: 'json',
  sendProbe: 'text',
  defaultMailbox: 'text',
  status: 'text',
  finding: 'json',
  consentedAt: 'instant',
  grantsChangedAt: 'instant',
  provenAt: 'instant',
  checksHeldUntil: 'instant',
  createdAt: 'instant',
};

const RECORDS = { from: 'c:', to: 'c;' };
const records = odata`RowKey ge ${RECORDS.from} and RowKey lt ${RECORDS.to}`;
/** The row that makes the quota exact, see `createWithinQuota`. */
const GUARD = 'quota';
const recordKey = (connectionId: string) => `c:${newestFirst(connectionId)}`;
/** One row per tenant and app, written in the same transaction. It keeps a customer from registering the pair twice. */
const uniqueKey = ({ cloud, tenantId, clientId }: Pick<Connection, 'cloud' | 'tenantId' | 'clientId'>) =>
  `u:${createHash('sha256').update(`${cloud}\n${tenantId}\n${clientId}`).digest('hex')}`;

/** Connections in one table, with a partition for each customer, newest first. */
export function tableConnections(table: TableClient): ConnectionStore {
  const toEntity = (connection: Connection) => ({
    partitionKey: connection.customerId,
    rowKey: recordKey(connection.id),
    ...toProperties(columns, connection),
  });

  const store: ConnectionStore = {
    get: (customerId, connectionId) => readEntity(table, columns, customerId, recordKey(connectionId), [404, 400]),
    list: (customerId, request) =>
      readPage(table, columns, `${odata`PartitionKey eq ${customerId}`} and ${records}`, request),
    async *listAll() {
      for await (const entity of eachEntity(table, records)) yield fromProperties(columns, entity);
    },
    async insert(connection, connectionsMax = Number.POSITIVE_INFINITY) {
      const { customerId: partitionKey, id } = connection;
      const quota = { partitionKey, guard: GUARD, counted: records, max: connectionsMax };
      const result = await createWithinQuota(table, quota, [
        ['create', { partitionKey, rowKey: uniqueKey(connection), id }],
        ['create', toEntity(connection)],
      ]);
      if (result === 'created') return connection;
      // A record with this ID is our own: the SDK and clients repeat a write whose answer was lost.
      const own = await store.get(partitionKey, id);
      if (own) return own.value;
      if (result === 'full') {
        throw quotaReached('connections', connectionsMax, 'Disconnect tenants that you no longer need.');
      }
      throw new DomainError('conflict', 'A connection to this tenant with this client ID already exists.');
    },
    async update(connection, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(connection), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(customerId, connectionId) {
      const found = await store.get(customerId, connectionId);
      if (!found) return;
      await undefinedOn([404], table.deleteEntity(customerId, uniqueKey(found.value)));
      // Nothing of a deleted customer stays behind. The next creation makes a new guard. It goes before the record: a
      // creation at the same time still counts the record, and is at worst refused for a record that is about to go.
      await undefinedOn([404], table.deleteEntity(customerId, GUARD));
      await undefinedOn([404], table.deleteEntity(customerId, recordKey(connectionId)));
    },
    purge: (customerId) => purgePartition(table, customerId),
  };
  return store;
}
