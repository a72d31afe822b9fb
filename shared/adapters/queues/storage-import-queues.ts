import type { QueueClient } from '@azure/storage-queue';
import type { ImportQueues } from '../../imports/import-queues.ts';
import { translateStorageErrors } from '../storage-errors.ts';
import { sendMessage } from './send-message.ts';

/** The import queues on Azure Storage. */
export function storageImportQueues(clients: {
  planImport: QueueClient;
  dispatchChecks: QueueClient;
  checkMailbox: QueueClient;
}): ImportQueues {
  return {
    sendPlan: (message, delayMs) => sendMessage(clients.planImport, message, delayMs),
    sendDispatch: (message, delayMs) => sendMessage(clients.dispatchChecks, message, delayMs),
    sendCheck: (message, delayMs) => sendMessage(clients.checkMailbox, message, delayMs),
    async getOldestCheckSentAt() {
      const peeked = await translateStorageErrors(clients.checkMailbox.peekMessages({ numberOfMessages: 1 }));
      return peeked.peekedMessageItems[0]?.insertedOn;
    },
  };
}
