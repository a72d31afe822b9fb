import type { QueueClient } from '@azure/storage-queue';
import type { ImportQueues } from '../../imports/import-queues.ts';
import { translateStorageErrors } from '../storage-errors.ts';

/** Never expires. By default, a message that nobody handles vanishes after seven days. */
const messageTimeToLive = -1;

/** By default, the Functions host expects base64, and the SDK does not encode. */
function encodeMessage(message: object): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

/** The import queues on Azure Storage. */
export function storageImportQueues(clients: {
  planImport: QueueClient;
  dispatchChecks: QueueClient;
  checkMailbox: QueueClient;
}): ImportQueues {
  async function send(queue: QueueClient, message: object, delayMs = 0): Promise<void> {
    const visibilityTimeout = Math.ceil(delayMs / 1000);
    await translateStorageErrors(
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
      const peeked = await translateStorageErrors(clients.checkMailbox.peekMessages({ numberOfMessages: 1 }));
      return peeked.peekedMessageItems[0]?.insertedOn;
    },
  };
}
