import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { TypedData } from './core-types.ts';

/** One delivery of a message to the function. */
export interface Delivery {
  /** The decoded text. */
  text: string;
  message: DequeuedMessageItem;
  dequeueCount: number;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `undefined` if the text does not have this encoding. */
export function decodeMessage(text: string, encoding: 'base64' | 'none'): string | undefined {
  if (encoding === 'none') return text;
  return base64.test(text) ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

/** The trigger metadata of a message. As in the real host, the top-level properties of its JSON override it. */
export function messageMetadata({ text, message, dequeueCount }: Delivery): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {
    QueueTrigger: { string: text },
    Id: { string: message.messageId },
    DequeueCount: { json: String(dequeueCount) },
    InsertionTime: { json: JSON.stringify(message.insertedOn) },
    ExpirationTime: { json: JSON.stringify(message.expiresOn) },
    NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
    PopReceipt: { string: message.popReceipt },
  };
  overlay(metadata, text);
  return metadata;
}

/**
 * Names are compared without case, so a message with an `id` replaces the trigger's `Id`. Arrays are left out, objects
 * become JSON, and everything else becomes the text that .NET makes of it.
 */
function overlay(metadata: Record<string, TypedData>, text: string): void {
  if (!text.startsWith('{')) return;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text);
  } catch {
    return;
  }
  const known = new Map(Object.keys(metadata).map((name) => [name.toLowerCase(), name]));
  for (const [name, value] of Object.entries(parsed)) {
    if (Array.isArray(value)) continue;
    const key = known.get(name.toLowerCase()) ?? name;
    known.set(name.toLowerCase(), key);
    metadata[key] =
      value !== null && typeof value === 'object' ? { json: JSON.stringify(value) } : { string: dotNet(value) };
  }
}

function dotNet(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
