import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { type CheckDeps, checkRow } from '../../shared/imports/checking/check-row.ts';
import { settlePoisoned } from '../../shared/imports/checking/settle-poisoned.ts';
import { type CheckMessage, checkMessage } from '../../shared/imports/messages.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends CheckDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

/** The cleanup of a row is work of its own. It must not replace the check that an operator can begin anew. */
export function checkArchiveKey({ importId, line, cleanupOnly }: CheckMessage): string {
  return `${importId}:${line}${cleanupOnly ? ':cleanup' : ''}`;
}

const poisoned = { queue: queues.checkMailbox, archiveKey: checkArchiveKey };

export function addCheckMailboxQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('check-mailbox', {
    queueName: queues.checkMailbox,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: checkMessage,
      handle: (message, { dequeueCount }) => checkRow(deps, message, dequeueCount > 1),
      failed: archiveLastError(deps, poisoned),
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
      ...poisoned,
      message: checkMessage,
      settle: (message) => settlePoisoned(deps, message),
    }),
  });
}
