import { createHash } from 'node:crypto';
import { odata, type TableClient } from '@azure/data-tables';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore, Deletion } from '../../connections/connection-store.ts';
import { DomainError } from '../../kernel/errors.ts';
import { quotaReached } from '../../kernel/quota.ts';
import { toStorageError, translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { connectionColumns, readConnection } from './connection-columns.ts';
import { createWithinQuota } from './create-within-quota.ts';
import { escapeKey } from './keys.ts';
import { newestFirst } from './newest-first.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity, PAGE_REQUESTS_MAX, readEntities } from './read-entities.ts';
import { transactionFailure } from './transaction-failure.ts';

const RECORDS = { from: 'c:', to: 'c;' };
/** Not `hidden ne true`, which leaves out the records without this property. */
const records = odata`RowKey ge ${RECORDS.from} and RowKey lt ${RECORDS.to} and not (hidden eq true)`;
/** The row that makes the quota exact, see `createWithinQuota`. */
const GUARD = 'quota';
/** The partition of the deletions. No customer has this ID. */
const DELETIONS = 'deletions';
const deletionColumns: Columns<Deletion> = { customerId: 'text', connectionId: 'text', dueAt: 'instant' };
const recordKey = (connectionId: string) => `c:${newestFirst(connectionId)}`;
/** One row per tenant and app, written in the same transaction. It keeps a customer from registering the pair twice. */
const uniqueKey = ({ cloud, tenantId, clientId }: Pick<Connection, 'cloud' | 'tenantId' | 'clientId'>) =>
  `u:${createHash('sha256').update(`${cloud}\n${tenantId}\n${clientId}`).digest('hex')}`;

/** Connections in one table, with a partition for each customer, newest first. */
export function tableConnections(table: TableClient): ConnectionStore {
  const toEntity = (connection: Connection) => ({
    partitionKey: connection.customerId,
    rowKey: recordKey(connection.id),
    ...toProperties(connectionColumns, connection),
  });

  /** 400: storage refuses a key that no record can have. */
  const read = (customerId: string, connectionId: string) =>
    undefinedOn(
      [404, 400],
      table.getEntity<Record<string, unknown> & { hidden?: boolean }>(customerId, recordKey(connectionId)),
    );

  const store: ConnectionStore = {
    async get(customerId, connectionId) {
      const found = await read(customerId, connectionId);
      return found && !found.hidden ? { value: readConnection(found), tag: found.etag } : undefined;
    },
    async list(customerId, request) {
      const filter = `${odata`PartitionKey eq ${customerId}`} and ${records}`;
      const page = await readEntities(table, filter, { ...request, requestsMax: PAGE_REQUESTS_MAX });
      return { ...page, items: page.items.map(readConnection) };
    },
    async *listAll() {
      for await (const entity of eachEntity(table, records)) yield readConnection(entity);
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
      throw alreadyConnected();
    },
    async update(connection, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(connection), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async updateApp(connection, tag, formerClientId) {
      const { customerId: partitionKey, id } = connection;
      const former = uniqueKey({ ...connection, clientId: formerClientId });
      try {
        const { getResponseForEntity } = await table.submitTransaction([
          ['update', toEntity(connection), 'Replace', { etag: tag }],
          ['create', { partitionKey, rowKey: uniqueKey(connection), id }],
          ['delete', { partitionKey, rowKey: former }],
        ]);
        return getResponseForEntity(recordKey(id))?.etag ?? (await store.get(partitionKey, id))?.tag;
      } catch (error) {
        const failure = transactionFailure(error);
        if (!failure) throw toStorageError(error);
        if (failure.index === 1) throw alreadyConnected();
        return undefined;
      }
    },
    async hide(connection, tag, dueAt) {
      const { customerId: partitionKey, id } = connection;
      // The deletion comes first: a hidden record without one would never be removed.
      await store.noteDeletion({ customerId: partitionKey, connectionId: id, dueAt });
      try {
        await table.submitTransaction([
          ['update', { ...toEntity(connection), hidden: true }, 'Replace', { etag: tag }],
          ['delete', { partitionKey, rowKey: uniqueKey(connection) }],
        ]);
        return true;
      } catch (error) {
        if (transactionFailure(error)) return false;
        throw toStorageError(error);
      }
    },
    async getHidden(customerId, connectionId) {
      const found = await read(customerId, connectionId);
      return found?.hidden ? readConnection(found) : undefined;
    },
    async removeHidden(customerId, connectionId) {
      await undefinedOn([404], table.deleteEntity(customerId, recordKey(connectionId)));
      await store.forgetDeletion(connectionId);
    },
    async forgetDeletion(connectionId) {
      await undefinedOn([404], table.deleteEntity(DELETIONS, escapeKey(connectionId)));
    },
    async noteDeletion(deletion) {
      const entity = { partitionKey: DELETIONS, rowKey: escapeKey(deletion.connectionId) };
      await translateStorageErrors(
        table.upsertEntity({ ...entity, ...toProperties(deletionColumns, deletion) }, 'Replace'),
      );
    },
    listDeletions: () =>
      Array.fromAsync(eachEntity(table, odata`PartitionKey eq ${DELETIONS}`), (entity) =>
        fromProperties(deletionColumns, entity),
      ),
    async purge(customerId) {
      await purgePartition(table, customerId);
      await purgePartition(table, DELETIONS, odata`customerId eq ${customerId}`);
    },
  };
  return store;
}

function alreadyConnected(): DomainError {
  return new DomainError('conflict', 'A connection to this tenant with this client ID already exists.');
}
