import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/consumer.ts';
import { type CheckDeps, checkRow } from '../../shared/imports/checking/check-row.ts';
import { settlePoisoned } from '../../shared/imports/checking/settle-poisoned.ts';
import { type CheckMessage, checkMessage } from '../../shared/imports/messages.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends CheckDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
  /** After this many deliveries the host moves a message to the poison queue; `maxDequeueCount` of host.json. */
  deliveriesMax: number;
}

const archiveKey = ({ importId, line }: CheckMessage) => `${importId}:${line}`;

export function addCheckMailboxQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('check-mailbox', {
    queueName: queues.checkMailbox,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: checkMessage,
      async handle(message, { dequeueCount, log }) {
        try {
          return await checkRow(deps, message, dequeueCount > 1);
        } catch (error) {
          // The poison queue does not tell why a message failed, so the last delivery archives the error.
          if (dequeueCount >= deps.deliveriesMax) {
            await archiveError(deps, message, error).catch((failure) =>
              log('warn', 'poison_reason_lost', { error: failure }),
            );
          }
          throw error;
        }
      },
      retryDelayMs: deps.retryDelayMs,
      sendAgain: (message, delayMs) => deps.importQueues.sendCheck(message, delayMs),
      // The row of any other message is still pending, and its dispatcher finds that it has no message.
      afterFailure: (message) => (message.cleanupOnly ? message : undefined),
    }),
  });

  host.storageQueue('check-mailbox-poison', {
    queueName: poisonQueues.checkMailbox,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      queue: queues.checkMailbox,
      message: checkMessage,
      settle: (message) => settlePoisoned(deps, message),
      archiveKey,
    }),
  });
}

async function archiveError(deps: Deps, message: CheckMessage, error: unknown): Promise<void> {
  await deps.poisonArchive.put({
    queue: queues.checkMailbox,
    key: archiveKey(message),
    message,
    archivedAt: deps.clock.now(),
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
