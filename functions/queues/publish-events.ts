import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { type PublishMessage, publishMessage } from '../../shared/webhooks/event-queues.ts';
import { type PublishHappeningsDeps, publishHappenings } from '../../shared/webhooks/publish-happenings.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends PublishHappeningsDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

const poisoned = { queue: queues.publishEvents, archiveKey: ({ source, id }: PublishMessage) => `${source}:${id}` };

export function addPublishEventsQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('publish-events', {
    queueName: queues.publishEvents,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: publishMessage,
      handle: (message) => publishHappenings(deps, message),
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: (message, delayMs) => deps.eventQueues.sendPublish(message, delayMs),
    }),
  });

  host.storageQueue('publish-events-poison', {
    queueName: poisonQueues.publishEvents,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: publishMessage,
      // What has happened stays noted where it has happened, and is published with the next one.
      settle: async () => undefined,
    }),
  });
}
