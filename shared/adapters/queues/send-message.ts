import type { QueueClient } from '@azure/storage-queue';
import { translateStorageErrors } from '../storage-errors.ts';

/** Never expires. By default, a message that nobody handles vanishes after seven days. */
const messageTimeToLive = -1;

/** By default, the Functions host expects base64, and the SDK does not encode. */
function encodeMessage(message: object): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

/** Puts a message on a queue, hidden for `delayMs`. */
export async function sendMessage(queue: QueueClient, message: object, delayMs = 0): Promise<void> {
  const visibilityTimeout = Math.ceil(delayMs / 1000);
  await translateStorageErrors(
    queue.sendMessage(encodeMessage(message), {
      messageTimeToLive,
      ...(visibilityTimeout > 0 && { visibilityTimeout }),
    }),
  );
}
