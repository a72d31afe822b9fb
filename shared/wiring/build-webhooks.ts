import type { TableClient } from '@azure/data-tables';
import type { SecretClient } from '@azure/keyvault-secrets';
import type { QueueServiceClient } from '@azure/storage-queue';
import { keyVaultSigningSecrets } from '../adapters/key-vault/key-vault-signing-secrets.ts';
import { storageEventQueues } from '../adapters/queues/storage-event-queues.ts';
import { tableDeliveries } from '../adapters/tables/table-deliveries.ts';
import { tableOutbox } from '../adapters/tables/table-outbox.ts';
import { tableWebhooks } from '../adapters/tables/table-webhooks.ts';
import { httpWebhookSender } from '../adapters/webhooks/http-webhook-sender.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Clock } from '../kernel/clock.ts';
import { queues } from '../kernel/storage-names.ts';
import { createDeliveryGate } from '../webhooks/delivery-gate.ts';
import { notingConnections, notingImports } from '../webhooks/noting-stores.ts';
import { createRetrySchedule } from '../webhooks/retry-schedule.ts';
import type { Config } from './config.ts';

interface WebhookBuildDeps {
  table: TableClient;
  queues: QueueServiceClient;
  vault: SecretClient;
  connections: ConnectionStore;
  imports: ImportStore;
  clock: Clock;
}

/** Builds webhooks, and the stores of connections and imports that have what happens published. */
export function buildWebhooks(deps: WebhookBuildDeps, settings: Config['settings']) {
  const { table, clock } = deps;
  const outbox = tableOutbox(table);
  const eventQueues = storageEventQueues({
    publishEvents: deps.queues.getQueueClient(queues.publishEvents),
    deliverEvent: deps.queues.getQueueClient(queues.deliverEvent),
  });
  const noting = { outbox, eventQueues, clock };
  return {
    connections: notingConnections(noting, deps.connections),
    imports: notingImports(noting, deps.imports),
    outbox,
    eventQueues,
    webhooks: tableWebhooks(table),
    deliveries: tableDeliveries(table),
    signingSecrets: keyVaultSigningSecrets(deps.vault),
    webhookSender: httpWebhookSender({
      allowsLocalTargets: settings.WEBHOOKS_TO_LOCAL,
      timeoutMs: settings.WEBHOOK_TIMEOUT,
    }),
    retrySchedule: createRetrySchedule(settings.WEBHOOK_RETRIES),
    deliveryGate: createDeliveryGate(settings.WEBHOOK_ATTEMPTS_AT_ONCE),
    webhookDisabledAfterMs: settings.WEBHOOK_DISABLED_AFTER,
    deliveryLogKeptMs: settings.DELIVERIES_KEPT,
    deliveryLogMax: settings.DELIVERIES_MAX,
  };
}
