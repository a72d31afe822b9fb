import { odata, type TableClient } from '@azure/data-tables';
import type { Delivery } from '../../webhooks/delivery.ts';
import type { DeliveryKey, DeliveryStore, OpenDelivery } from '../../webhooks/delivery-store.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { newestFirst } from './newest-first.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity, readEntities, readEntity, readPage } from './read-entities.ts';

const columns: Columns<Delivery> = {
  id: 'text',
  customerId: 'text',
  webhookId: 'text',
  type: 'text',
  happenedAt: 'instant',
  body: 'text',
  status: 'text',
  attempts: 'json',
  attemptCount: 'number',
  roundStartedAt: 'instant',
  roundAttempts: 'number',
  nextAttemptAt: 'instant',
  attemptEndsBy: 'instant',
  watchedAt: 'instant',
  createdAt: 'instant',
};

const pointerColumns: Columns<OpenDelivery> = {
  customerId: 'text',
  webhookId: 'text',
  deliveryId: 'text',
  watchedAt: 'instant',
};

/** The partition of pointers to unfinished deliveries. No customer has this ID. */
export const OPEN = 'open';

const PREFIX = 'd:';
const rowKeyOf = ({ webhookId, id }: Pick<Delivery, 'webhookId' | 'id'>) => `${PREFIX}${webhookId}:${newestFirst(id)}`;
/** `;` is the character after `:`. */
const rangeOf = (webhookId: string) =>
  odata`RowKey ge ${`${PREFIX}${webhookId}:`} and RowKey lt ${`${PREFIX}${webhookId};`}`;
/** RFC 3339 text sorts by time. */
const pointerKey = ({ watchedAt, webhookId, deliveryId }: OpenDelivery) =>
  `${watchedAt.toISOString()}:${webhookId}:${deliveryId}`;

/** Deliveries beside the webhooks of their customer, newest first for each webhook. */
export function tableDeliveries(table: TableClient): DeliveryStore {
  const toEntity = (delivery: Delivery) => ({
    partitionKey: delivery.customerId,
    rowKey: rowKeyOf(delivery),
    ...toProperties(columns, delivery),
  });

  const store: DeliveryStore = {
    get: ({ customerId, webhookId, id }) =>
      readEntity(table, columns, customerId, rowKeyOf({ webhookId, id }), [404, 400]),
    list(customerId, webhookId, request, status) {
      const only = status === undefined ? '' : ` and ${odata`status eq ${status}`}`;
      const filter = `${odata`PartitionKey eq ${customerId}`} and ${rangeOf(webhookId)}${only}`;
      return readPage(table, columns, filter, request);
    },
    insert: async (delivery) => (await undefinedOn([409], table.createEntity(toEntity(delivery)))) !== undefined,
    async update(delivery, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(delivery), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(key: DeliveryKey) {
      await undefinedOn([404], table.deleteEntity(key.customerId, rowKeyOf(key)));
    },
    purge: (customerId, webhookId) => purgePartition(table, customerId, rangeOf(webhookId)),
    async removeOld(before, max) {
      const filter = odata`RowKey ge ${PREFIX} and RowKey lt ${'d;'}`;
      const select = ['PartitionKey', 'RowKey', 'webhookId', 'createdAt', 'status'];
      let removed = 0;
      let current = '';
      let kept = 0;
      for await (const { partitionKey = '', rowKey = '', webhookId, createdAt, status } of eachEntity(
        table,
        filter,
        select,
      )) {
        if (webhookId !== current) [current, kept] = [String(webhookId), 0];
        const isOld = String(createdAt) < before.toISOString() || kept >= max;
        if (!isOld || status === 'pending') {
          kept++;
          continue;
        }
        await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
        removed++;
      }
      return removed;
    },

    async openPointer(pointer) {
      const entity = { partitionKey: OPEN, rowKey: pointerKey(pointer), ...toProperties(pointerColumns, pointer) };
      await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
    },
    async closePointer(pointer) {
      await undefinedOn([404], table.deleteEntity(OPEN, pointerKey(pointer)));
    },
    async listOpen(until, limit) {
      const filter = odata`PartitionKey eq ${OPEN} and RowKey lt ${`${until.toISOString()};`}`;
      const { items } = await readEntities(table, filter, { limit });
      return items.map((entity) => fromProperties(pointerColumns, entity));
    },
  };
  return store;
}
