import type { QueueClient } from '@azure/storage-queue';
import type { EventQueues } from '../../webhooks/event-queues.ts';
import { sendMessage } from './send-message.ts';

/** The queues of events on Azure Storage. */
export function storageEventQueues(clients: { publishEvents: QueueClient; deliverEvent: QueueClient }): EventQueues {
  return {
    sendPublish: (message, delayMs) => sendMessage(clients.publishEvents, message, delayMs),
    sendDelivery: (message, delayMs) => sendMessage(clients.deliverEvent, message, delayMs),
  };
}
