import { expect, test } from 'vitest';
import { deliverTwice } from '../../../../local/functions-host/deliver-twice.ts';
import type { Delivery } from '../../../../local/functions-host/queue-message.ts';

const message = {
  messageId: 'm',
  insertedOn: new Date(0),
  expiresOn: new Date(0),
  nextVisibleOn: new Date(0),
  popReceipt: '1',
  dequeueCount: 1,
  messageText: '',
};

test('the second of two deliveries decides the result, and the last allowed delivery is not repeated', async () => {
  const counts: number[] = [];
  const run = deliverTwice(async (delivery: Delivery) => {
    counts.push(delivery.dequeueCount);
    if (delivery.dequeueCount % 2 === 0) throw new Error('second failed');
  }, 5);
  await expect(run({ text: '', message, dequeueCount: 1 })).rejects.toThrow('second failed');
  await expect(run({ text: '', message, dequeueCount: 2 })).resolves.toBeUndefined();
  await run({ text: '', message, dequeueCount: 5 });
  expect(counts).toEqual([1, 2, 2, 3, 5]);
});

test('can deliver every third message twice', async () => {
  let runs = 0;
  const run = deliverTwice(
    async () => {
      runs++;
    },
    5,
    3,
  );
  for (let i = 0; i < 9; i++) await run({ text: '', message, dequeueCount: 1 });
  expect(runs).toBe(12);
});
