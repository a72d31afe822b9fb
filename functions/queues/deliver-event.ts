import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { type DeliverDeps, deliverEvent, failDelivery } from '../../shared/webhooks/deliver-event.ts';
import { type DeliveryMessage, deliveryMessage } from '../../shared/webhooks/event-queues.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends DeliverDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

const poisoned = {
  queue: queues.deliverEvent,
  archiveKey: ({ webhookId, deliveryId }: DeliveryMessage) => `${webhookId}:${deliveryId}`,
};

export function addDeliverEventQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('deliver-event', {
    queueName: queues.deliverEvent,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: deliveryMessage,
      handle: (message, { log }) => deliverEvent(deps, message, log),
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: (message, delayMs) => deps.eventQueues.sendDelivery(message, delayMs),
    }),
  });

  host.storageQueue('deliver-event-poison', {
    queueName: poisonQueues.deliverEvent,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: deliveryMessage,
      settle: (message) => failDelivery(deps, message),
    }),
  });
}
