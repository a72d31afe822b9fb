import { QueueClient } from '@azure/storage-queue';
import { afterEach, expect, test, vi } from 'vitest';
import { deliverTwice } from '../../../../local/functions-host/deliver-twice.ts';
import { createPollingIntervals } from '../../../../local/functions-host/polling-intervals.ts';
import { type Delivery, decodeMessage } from '../../../../local/functions-host/queue-message.ts';
import { createMessageLease, poisonQueueName } from '../../../../local/functions-host/queue-storage.ts';

afterEach(() => {
  vi.useRealTimers();
});

const message = {
  messageId: 'm',
  insertedOn: new Date(0),
  expiresOn: new Date(0),
  nextVisibleOn: new Date(0),
  popReceipt: 'first',
  dequeueCount: 1,
  messageText: '',
};

test('polling backs off from 100 ms to the maximum, and resets after a message', () => {
  const intervals = createPollingIntervals(1_000, () => 0.5);
  expect(Array.from({ length: 7 }, () => intervals.next())).toEqual([100, 200, 300, 500, 900, 1_000, 1_000]);
  intervals.reset();
  expect(intervals.next()).toBe(100);
});

test('text is decoded as base64 only if it is base64', () => {
  expect(decodeMessage(Buffer.from('{"é":1}').toString('base64'), 'base64')).toBe('{"é":1}');
  expect(decodeMessage('{"v":1}', 'base64')).toBeUndefined();
  expect(decodeMessage('{"v":1}', 'none')).toBe('{"v":1}');
});

test('a poison queue has no poison queue, and neither does a queue with a very long name', () => {
  expect(poisonQueueName('check-mailbox')).toBe('check-mailbox-poison');
  expect(poisonQueueName('check-mailbox-poison')).toBeUndefined();
  expect(poisonQueueName('q'.repeat(57))).toBeUndefined();
});

test('a lease is renewed at half its time with the newest receipt, until it ends', async () => {
  vi.useFakeTimers();
  const queue = new QueueClient('http://127.0.0.1:1/account/queue');
  let count = 0;
  const update = vi.spyOn(queue, 'updateMessage').mockImplementation(async () => {
    if (++count === 2) throw new Error('unavailable');
    return { popReceipt: `renewed ${count}` } as Awaited<ReturnType<QueueClient['updateMessage']>>;
  });
  const failures: unknown[] = [];
  const lease = createMessageLease(queue, message, 600, (error) => failures.push(error));
  await vi.advanceTimersByTimeAsync(901_000);
  expect(update.mock.calls.map((call) => [call[1], call[3]])).toEqual([
    ['first', 600],
    ['renewed 1', 600],
    ['renewed 1', 600],
  ]);
  expect(failures).toHaveLength(1);
  expect(await lease.end()).toBe('renewed 3');
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(update).toHaveBeenCalledTimes(3);
});

test('the second of two deliveries decides, and a message at the limit gets no second one', async () => {
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
