import { expect, test } from 'vitest';
import { decodeMessage, messageMetadata } from '../../../../local/functions-host/queue-message.ts';

test('decodes text from base64 only if it is valid base64', () => {
  expect(decodeMessage(Buffer.from('{"é":1}').toString('base64'), 'base64')).toBe('{"é":1}');
  expect(decodeMessage('{"v":1}', 'base64')).toBeUndefined();
  expect(decodeMessage('{"v":1}', 'none')).toBe('{"v":1}');
});

test('properties of a message override the metadata of the trigger, except null, and arrays are left out', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const text = JSON.stringify({ id: null, popreceipt: 'mine', none: null, list: [1], deep: { a: 1 }, flag: false });
  const message = {
    messageId: 'the id',
    popReceipt: 'theirs',
    insertedOn: now,
    expiresOn: now,
    nextVisibleOn: now,
    dequeueCount: 3,
    messageText: text,
  };
  const metadata = messageMetadata({ text, message, dequeueCount: 3 });
  expect(metadata).toMatchObject({
    Id: { string: 'the id' },
    PopReceipt: { string: 'mine' },
    DequeueCount: { json: '3' },
    deep: { json: '{"a":1}' },
    flag: { string: 'False' },
  });
  expect(metadata).not.toHaveProperty('none');
  expect(metadata).not.toHaveProperty('list');
});
