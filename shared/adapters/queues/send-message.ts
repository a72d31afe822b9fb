import type { QueueClient } from '@azure/storage-queue';
import { translateStorageErrors } from '../storage-errors.ts';
import { currentTraceparent } from '../telemetry/traceparent.ts';

/** Never expires. By default, a message that nobody handles vanishes after seven days. */
const messageTimeToLive = -1;

/** By default, the Functions host expects base64, and the SDK does not encode. */
function encodeMessage(message: unknown): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

/**
 * Puts a message on a queue, hidden for `delayMs`. The field `dueAt` tells those who look into the queue that the message
 * was not to be handled earlier. Its consumer ignores it. `traceparent` continues the trace of what sends the message, unless
 * the message names another one.
 */
export async function sendMessage(queue: QueueClient, message: unknown, delayMs = 0): Promise<void> {
  const visibilityTimeout = Math.ceil(delayMs / 1000);
  const isDelayed = visibilityTimeout > 0;
  const due = isDelayed && { dueAt: new Date(Date.now() + visibilityTimeout * 1000).toISOString() };
  await translateStorageErrors(
    queue.sendMessage(encodeMessage(withFields(message, { traceparent: currentTraceparent(), ...due })), {
      messageTimeToLive,
      ...(isDelayed && { visibilityTimeout }),
    }),
  );
}

/** The message's own fields win. Something that is no object is sent as it is. */
function withFields(message: unknown, fields: Record<string, string | undefined>): unknown {
  const isObject = message !== null && typeof message === 'object' && !Array.isArray(message);
  return isObject ? { ...fields, ...message } : message;
}

/** When a message was due that was sent with a delay. `undefined` for any other one. */
export function dueAtOf(text: string): Date | undefined {
  try {
    const { dueAt } = JSON.parse(Buffer.from(text, 'base64').toString());
    const date = new Date(typeof dueAt === 'string' ? dueAt : Number.NaN);
    return Number.isNaN(date.getTime()) ? undefined : date;
  } catch {
    return undefined;
  }
}
