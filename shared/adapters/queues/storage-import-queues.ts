import type { QueueClient } from '@azure/storage-queue';
import type { ImportQueues } from '../../imports/import-queues.ts';
import { DomainError } from '../../kernel/errors.ts';

/** For ever: a message that is not handled within the default seven days must not vanish. */
const messageTimeToLive = -1;

/** The host decodes base64 by default, and the SDK does not encode. */
export function encodeMessage(message: object): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

/** The import machinery's queues on Azure Storage. Rejects with `storage_unavailable` when storage is away. */
export function storageImportQueues(clients: {
  planImport: QueueClient;
  dispatchChecks: QueueClient;
  checkMailbox: QueueClient;
}): ImportQueues {
  async function send(queue: QueueClient, message: object, delayMs = 0): Promise<void> {
    const visibilityTimeout = Math.ceil(delayMs / 1000);
    await orAway(
      queue.sendMessage(encodeMessage(message), {
        messageTimeToLive,
        ...(visibilityTimeout > 0 && { visibilityTimeout }),
      }),
    );
  }

  return {
    sendPlan: (message, delayMs) => send(clients.planImport, message, delayMs),
    sendDispatch: (message, delayMs) => send(clients.dispatchChecks, message, delayMs),
    sendCheck: (message, delayMs) => send(clients.checkMailbox, message, delayMs),
    async getOldestCheckSentAt() {
      const peeked = await orAway(clients.checkMailbox.peekMessages({ numberOfMessages: 1 }));
      return peeked.peekedMessageItems[0]?.insertedOn;
    },
  };
}

async function orAway<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    throw new DomainError('storage_unavailable', 'A queue is not answering. Try again shortly.', {
      cause,
      retryAfterSeconds: 5,
    });
  }
}
