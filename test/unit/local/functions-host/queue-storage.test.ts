import { QueueClient } from '@azure/storage-queue';
import { afterEach, expect, test, vi } from 'vitest';
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
