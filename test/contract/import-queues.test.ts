import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { storageQueueLook } from '../../shared/adapters/queues/look-at-queue.ts';
import { sendMessage } from '../../shared/adapters/queues/send-message.ts';
import { storageImportQueues } from '../../shared/adapters/queues/storage-import-queues.ts';
import type { ImportQueues } from '../../shared/imports/import-queues.ts';
import { queues } from '../../shared/kernel/storage-names.ts';
import { type Azurite, connectionString, startAzurite } from '../support/azurite.ts';
import { aCheckMessage } from '../support/records.ts';

let azurite: Azurite;
const serviceOf = (text: string) => QueueServiceClient.fromConnectionString(text, { retryOptions: { maxTries: 1 } });
const queuesOf = (service: QueueServiceClient, name = (queue: string) => queue): ImportQueues =>
  storageImportQueues({
    planImport: service.getQueueClient(name(queues.planImport)),
    dispatchChecks: service.getQueueClient(name(queues.dispatchChecks)),
    checkMailbox: service.getQueueClient(name(queues.checkMailbox)),
  });

beforeAll(async () => {
  azurite = await startAzurite('queue');
  await Promise.all(Object.values(queues).map((queue) => serviceOf(azurite.connectionString).createQueue(queue)));
});
afterAll(() => azurite?.stop());

it('sends each message to its queue, as base64 that never expires', async () => {
  const service = serviceOf(azurite.connectionString);
  const importQueues = queuesOf(service);
  const message = { v: 1 as const, customerId: 'cust_1', importId: 'imp_1' };
  await importQueues.sendPlan(message);
  await importQueues.sendDispatch(message);
  await importQueues.sendCheck(aCheckMessage());
  const sent = JSON.parse(JSON.stringify(aCheckMessage()));
  const read = async (queue: string) => {
    const { receivedMessageItems } = await service.getQueueClient(queue).receiveMessages();
    return receivedMessageItems.map(({ messageText, expiresOn }) => ({
      body: JSON.parse(Buffer.from(messageText, 'base64').toString()),
      expires: expiresOn.getUTCFullYear() < 2100,
    }));
  };
  expect(await read(queues.planImport)).toEqual([{ body: message, expires: false }]);
  expect(await read(queues.dispatchChecks)).toEqual([{ body: message, expires: false }]);
  expect(await read(queues.checkMailbox)).toEqual([{ body: sent, expires: false }]);
});

it('returns when the oldest visible check was sent, and ignores delayed ones', async () => {
  const importQueues = queuesOf(serviceOf(azurite.connectionString));
  await importQueues.sendCheck(aCheckMessage(), 60_000);
  expect(await importQueues.getOldestCheckSentAt()).toBeUndefined();
  await importQueues.sendCheck(aCheckMessage());
  expect(await importQueues.getOldestCheckSentAt()).toEqual(expect.any(Date));
});

it('shows how many messages a queue has and since when the oldest could be handled, and takes none', async () => {
  const service = serviceOf(azurite.connectionString);
  const queue = service.getQueueClient('looked-at');
  await queue.create();
  const look = () => storageQueueLook(service)('looked-at');
  expect(await look()).toEqual({ depth: 0 });
  await sendMessage(queue, { v: 1 }, 1_000);
  expect(await look()).toEqual({ depth: 1 });
  await expect.poll(async () => (await look()).oldestSince, { interval: 200, timeout: 5_000 }).toBeDefined();
  const [peeked] = (await queue.peekMessages()).peekedMessageItems;
  const sentAt = peeked?.insertedOn.getTime() ?? 0;
  // It waits since its delay was over, and not since it was sent.
  expect((await look()).oldestSince?.getTime()).toBeGreaterThanOrEqual(sentAt + 1_000);
  await sendMessage(queue, { v: 1 });
  await queue.sendMessage('not base64 {');
  expect((await look()).depth).toBe(3);
  expect((await queue.receiveMessages({ numberOfMessages: 5 })).receivedMessageItems).toHaveLength(3);
});

it('rejects with storage_unavailable if storage is unavailable', async () => {
  const importQueues = queuesOf(serviceOf(connectionString('queue', `http://127.0.0.1:${await freePort()}`)));
  const expected = { code: 'storage_unavailable', retryAfterSeconds: 5 };
  await expect(importQueues.sendCheck(aCheckMessage())).rejects.toMatchObject(expected);
  await expect(importQueues.getOldestCheckSentAt()).rejects.toMatchObject(expected);
});

it('treats a missing queue as a defect: a retry does not help', async () => {
  const importQueues = queuesOf(serviceOf(azurite.connectionString), (queue) => `no-${queue}`);
  const expected = 'lacks a table, container or queue: QueueNotFound';
  await expect(importQueues.sendCheck(aCheckMessage())).rejects.toThrow(expected);
  await expect(importQueues.getOldestCheckSentAt()).rejects.toThrow(expected);
});
