import type { app } from '@azure/functions';
import { z } from 'zod';
import type { DeletedConnection } from '../../shared/connections/connection-store.ts';
import { type FinishDeletionDeps, finishDeletion } from '../../shared/connections/lifecycle/delete-connection.ts';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends FinishDeletionDeps, Omit<PoisonTwinDeps, 'poisonArchive'> {
  poisonArchive: FinishDeletionDeps['poisonArchive'] & PoisonTwinDeps['poisonArchive'];
  sendDeletion: (message: DeletedConnection, delayMs?: number) => Promise<void>;
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

/** Messages had no version at first. */
export const deletionMessage = z.object({
  v: z.literal(1).default(1),
  customerId: z.string(),
  connectionId: z.string(),
});

const poisoned = { queue: queues.deleteConnection, archiveKey: ({ connectionId }: DeletedConnection) => connectionId };

export function addDeleteConnectionQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('delete-connection', {
    queueName: queues.deleteConnection,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: deletionMessage,
      async handle(message, { log }) {
        await finishDeletion(deps, message);
        log('info', 'connection_deleted', { customerId: message.customerId, connectionId: message.connectionId });
      },
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: deps.sendDeletion,
    }),
  });

  host.storageQueue('delete-connection-poison', {
    queueName: poisonQueues.deleteConnection,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: deletionMessage,
      // Nothing to settle: until the connection is deleted, the sweep sends another message.
      settle: async () => undefined,
    }),
  });
}
