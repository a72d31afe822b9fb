import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFixtureApp, type QueueStorage, spawnHost, startQueueStorage } from '../support/functions-host.ts';

let app: string;
let storage: QueueStorage;
beforeAll(async () => {
  [app, storage] = await Promise.all([buildFixtureApp(), startQueueStorage()]);
});
afterAll(async () => {
  await storage.stop();
  rmSync(app, { recursive: true, force: true });
});

const encode = (message: object) => Buffer.from(JSON.stringify(message)).toString('base64');

test('a function that exceeds its time limit ends the process, and everything else that runs in it fails', async () => {
  const queue = storage.service.getQueueClient('overdue');
  await queue.create();
  const host = await spawnHost(app, {
    DataStorage: storage.connectionString,
    WORK_QUEUE: 'overdue',
    TICK: '00:10:00',
    'AzureWebJobs.off.Disabled': 'true',
    'AzureWebJobs.work-poison.Disabled': 'true',
    AzureFunctionsJobHost__functionTimeout: '00:00:02',
  }).started;
  await queue.sendMessage(encode({ kind: 'slow', waitMs: 60_000 }));
  await host.printed('slow message began');
  const younger = fetch(`${host.url}/slow?ms=60000`);
  await host.printed('slow began');
  await queue.sendMessage(encode({ kind: 'quiet', waitMs: 60_000 }));
  const startedAt = Date.now();

  expect((await younger).status).toBe(500);
  expect(await host.exited).toBe(1);
  // The functions would need a minute.
  expect(Date.now() - startedAt).toBeLessThan(40_000);
  expect(host.output()).toContain('Timeout value of 2000 ms was exceeded by function: work');
  // Both messages are visible again. The platform counts the interrupted runs as failed deliveries.
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
  expect(receivedMessageItems.map((message) => message.dequeueCount)).toEqual([2, 2]);
}, 30_000);

test('a function within its time limit ends nothing', async () => {
  const host = await spawnHost(app, {
    DataStorage: storage.connectionString,
    WORK_QUEUE: 'unused',
    TICK: '00:10:00',
    'AzureWebJobs.off.Disabled': 'true',
    AzureFunctionsJobHost__functionTimeout: '00:00:02',
  }).started;
  for (let i = 0; i < 3; i++) expect(await (await fetch(`${host.url}/slow?ms=900`)).text()).toBe('done');
  expect(await host.stop()).toBe(0);
}, 30_000);
