import type { DequeuedMessageItem } from '@azure/storage-queue';
import { addJsonProperties, createBindingData } from './binding-data.ts';
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
  const data = createBindingData();
  data.set('QueueTrigger', { string: text });
  data.set('Id', { string: message.messageId });
  data.set('DequeueCount', { json: String(dequeueCount) });
  data.set('InsertionTime', { json: JSON.stringify(message.insertedOn) });
  data.set('ExpirationTime', { json: JSON.stringify(message.expiresOn) });
  data.set('NextVisibleTime', { json: JSON.stringify(message.nextVisibleOn) });
  data.set('PopReceipt', { string: message.popReceipt });
  addJsonProperties(data, text, { withArrays: false });
  return data.toMetadata();
}
