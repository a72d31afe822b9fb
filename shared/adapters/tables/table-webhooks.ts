import { odata, type TableClient } from '@azure/data-tables';
import { quotaReached } from '../../kernel/quota.ts';
import type { Webhook } from '../../webhooks/webhook.ts';
import type { WebhookStore } from '../../webhooks/webhook-store.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { createWithinQuota } from './create-within-quota.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity, readEntity, readPage } from './read-entities.ts';
import { OPEN } from './table-deliveries.ts';
import { OUTBOX } from './table-outbox.ts';

const columns: Columns<Webhook> = {
  id: 'text',
  customerId: 'text',
  url: 'text',
  events: 'json',
  description: 'text',
  status: 'text',
  disabledReason: 'text',
  disabledAt: 'instant',
  failingSince: 'instant',
  secretVersion: 'text',
  previousSecrets: 'json',
  createdAt: 'instant',
};

/** The row that makes the quota exact, see `createWithinQuota`. */
const GUARD = 'quota';
const { from, to } = { from: 'hook_', to: 'hook`' };
/** Deliveries are in the same partition, under keys with another prefix. */
const records = odata`RowKey ge ${from} and RowKey lt ${to}`;
const ownOf = (customerId: string) => `${odata`PartitionKey eq ${customerId}`} and ${records}`;

/** Webhooks, with a partition for each customer. */
export function tableWebhooks(table: TableClient): WebhookStore {
  const toEntity = (webhook: Webhook) => ({
    partitionKey: webhook.customerId,
    rowKey: webhook.id,
    ...toProperties(columns, webhook),
  });

  return {
    get: (customerId, webhookId) => readEntity(table, columns, customerId, webhookId, [404, 400]),
    list: (customerId, request) => readPage(table, columns, ownOf(customerId), request),
    all: (customerId) =>
      Array.fromAsync(eachEntity(table, ownOf(customerId)), (entity) => fromProperties(columns, entity)),
    async insert(webhook, webhooksMax) {
      const counted = `${records} and ${odata`RowKey ne ${webhook.id}`}`;
      const quota = { partitionKey: webhook.customerId, guard: GUARD, counted, max: webhooksMax };
      if ((await createWithinQuota(table, quota, [['upsert', toEntity(webhook)]])) === 'full') {
        throw quotaReached('webhooks', webhooksMax, 'Delete the webhooks that you no longer need.');
      }
    },
    async update(webhook, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(webhook), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(customerId, webhookId) {
      await undefinedOn([404], table.deleteEntity(customerId, webhookId));
    },
    async purge(customerId) {
      const own = odata`customerId eq ${customerId}`;
      await purgePartition(table, customerId);
      await purgePartition(table, OPEN, own);
      await purgePartition(table, OUTBOX, own);
    },
  };
}
