import type { PeekedMessageItem, QueueServiceClient } from '@azure/storage-queue';
import type { LookAtQueue } from '../../operations/queue-look.ts';
import { translateStorageErrors } from '../storage-errors.ts';
import { dueAtOf } from './send-message.ts';

/** As many as one request shows. They are about the oldest ones. */
const PEEKED_MAX = 32;

/** Looks into the queues of a storage account, in two requests for each. */
export function storageQueueLook(queues: Pick<QueueServiceClient, 'getQueueClient'>): LookAtQueue {
  return async (name) => {
    const queue = queues.getQueueClient(name);
    const [{ approximateMessagesCount: depth = 0 }, { peekedMessageItems }] = await Promise.all([
      translateStorageErrors(queue.getProperties()),
      translateStorageErrors(queue.peekMessages({ numberOfMessages: PEEKED_MAX })),
    ]);
    const since = peekedMessageItems.map(waitingSince);
    const [oldest] = since.toSorted((one, other) => one.getTime() - other.getTime());
    return { depth, ...(oldest && { oldestSince: oldest }) };
  };
}

/** A message that was sent with a delay has waited only since the delay was over. */
function waitingSince({ insertedOn, messageText }: PeekedMessageItem): Date {
  const dueAt = dueAtOf(messageText);
  return dueAt && dueAt > insertedOn ? dueAt : insertedOn;
}
