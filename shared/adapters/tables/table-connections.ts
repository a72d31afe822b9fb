import { createHash } from 'node:crypto';
import { odata, type TableClient } from '@azure/data-tables';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { newestFirst } from './newest-first.ts';
import { readPage } from './read-page.ts';
import { storageAway, transactionFailure, unless } from './table-errors.ts';

const columns: Columns<Connection> = {
  id: 'text',
  customerId: 'text',
  name: 'text',
  cloud: 'text',
  tenantId: 'text',
  tenantDomain: 'text',
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
  quietUntil: 'instant',
  createdAt: 'instant',
};

const RECORDS = { from: 'c:', to: 'c;' };
const recordKey = (connectionId: string) => `c:${newestFirst(connectionId)}`;
/** One row per tenant and app, written in the same transaction: what keeps a customer from registering it twice. */
const uniqueKey = ({ cloud, tenantId, clientId }: Pick<Connection, 'cloud' | 'tenantId' | 'clientId'>) =>
  `u:${createHash('sha256').update(`${cloud}\n${tenantId}\n${clientId}`).digest('hex')}`;

/** Connections in one table, a partition for each customer, newest first. */
export function tableConnections(table: TableClient): ConnectionStore {
  const toEntity = (connection: Connection) => ({
    partitionKey: connection.customerId,
    rowKey: recordKey(connection.id),
    ...toProperties(columns, connection),
  });

  const store: ConnectionStore = {
    async get(customerId, connectionId) {
      const found = await unless(
        table.getEntity<Record<string, unknown>>(customerId, recordKey(connectionId)),
        404,
        400,
      );
      return found && { value: fromProperties(columns, found), tag: found.etag };
    },
    async list(customerId, request) {
      const filter = odata`PartitionKey eq ${customerId} and RowKey ge ${RECORDS.from} and RowKey lt ${RECORDS.to}`;
      const page = await readPage(table, filter, request);
      return { ...page, items: page.items.map((entity) => fromProperties(columns, entity)) };
    },
    async *listAll() {
      const filter = odata`RowKey ge ${RECORDS.from} and RowKey lt ${RECORDS.to}`;
      try {
        for await (const entity of table.listEntities<Record<string, unknown>>({ queryOptions: { filter } })) {
          yield fromProperties(columns, entity);
        }
      } catch (error) {
        throw storageAway(error);
      }
    },
    async insert(connection) {
      const unique = { partitionKey: connection.customerId, rowKey: uniqueKey(connection), id: connection.id };
      try {
        await table.submitTransaction([
          ['create', unique],
          ['create', toEntity(connection)],
        ]);
      } catch (error) {
        if (transactionFailure(error)?.why !== 'exists') throw storageAway(error);
        // Answered "exists" after a lost answer: what is there may be our own.
        if (await store.get(connection.customerId, connection.id)) return;
        throw new DomainError('conflict', 'There is a connection to this tenant with this client id already.');
      }
    },
    async update(connection, tag) {
      return (await unless(table.updateEntity(toEntity(connection), 'Replace', { etag: tag }), 404, 412)) !== undefined;
    },
    async remove(customerId, connectionId) {
      const found = await store.get(customerId, connectionId);
      if (!found) return;
      await unless(table.deleteEntity(customerId, uniqueKey(found.value)), 404);
      await unless(table.deleteEntity(customerId, recordKey(connectionId)), 404);
    },
  };
  return store;
}
