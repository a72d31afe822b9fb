import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../local/ports.ts';
import {
  buildFixtureApp,
  type HostProcess,
  type QueueStorage,
  spawnHost,
  startQueueStorage,
  until,
} from '../support/functions-host.ts';
import { jsonOf } from '../support/json-of.ts';

interface Seen {
  message: { kind: string; number?: number };
  metadata: Record<string, unknown>;
  begun: number;
  ended: number;
}

let app: string;
let storage: QueueStorage;
const running: HostProcess[] = [];

beforeAll(async () => {
  [app, storage] = await Promise.all([buildFixtureApp(), startQueueStorage()]);
});
afterAll(async () => {
  await Promise.all(running.map((host) => host.stop()));
  await storage.stop();
  rmSync(app, { recursive: true, force: true });
});

async function startHost(queue: string, env: Record<string, string> = {}): Promise<HostProcess> {
  const host = await spawnHost(app, {
    DataStorage: storage.connectionString,
    WORK_QUEUE: queue,
    TICK: '00:10:00',
    'AzureWebJobs.off.Disabled': 'true',
    'AzureWebJobs.work-poison.Disabled': 'true',
    ...env,
  }).started;
  running.push(host);
  return host;
}

async function seen(host: HostProcess): Promise<Seen[]> {
  const answer = await jsonOf<{ seen: Seen[] }>(await fetch(`${host.url}/seen`));
  return answer.seen;
}

function encode(message: object): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

async function waiting(name: string): Promise<number> {
  const properties = await storage.service.getQueueClient(name).getProperties();
  return properties.approximateMessagesCount ?? 0;
}

test.concurrent('a message arrives parsed, its own properties override the trigger metadata, and it is deleted', async () => {
  const queue = storage.service.getQueueClient('arrives');
  await queue.create();
  await queue.sendMessage(
    encode({ kind: 'ok', number: 5, flag: true, list: [1], deep: { a: 1 }, dequeuecount: 'mine' }),
  );
  const host = await startHost('arrives');
  await until(async () => (await seen(host)).length > 0);
  const [one] = await seen(host);
  expect(one?.message).toMatchObject({ kind: 'ok', number: 5 });
  expect(one?.metadata).toMatchObject({
    queueTrigger: { kind: 'ok' },
    dequeueCount: 'mine',
    number: 5,
    flag: 'True',
    deep: { a: 1 },
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    popReceipt: expect.any(String),
    insertionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    expirationTime: expect.any(String),
    nextVisibleTime: expect.any(String),
  });
  expect(one?.metadata).not.toHaveProperty('list');
  await until(async () => (await waiting('arrives')) === 0);
  await host.stop();
});

test.concurrent('a failing message moves unchanged to the poison queue after five tries, and a message that is not base64 immediately', async () => {
  const queue = storage.service.getQueueClient('fails');
  await queue.create();
  await queue.sendMessage(encode({ kind: 'fail' }));
  await queue.sendMessage('{"not": "encoded"}');
  const host = await startHost('fails');
  const poison = storage.service.getQueueClient('fails-poison');
  await until(
    async () =>
      (await poison.peekMessages({ numberOfMessages: 2 }).catch(() => undefined))?.peekedMessageItems.length === 2,
  );
  const texts = (await poison.peekMessages({ numberOfMessages: 2 })).peekedMessageItems.map((one) => one.messageText);
  expect(texts.sort()).toEqual([encode({ kind: 'fail' }), '{"not": "encoded"}'].sort());
  expect((await seen(host)).map((one) => one.metadata.dequeueCount)).toEqual([1, 2, 3, 4, 5]);
  await until(async () => (await waiting('fails')) === 0);
  await host.stop();
});

test.concurrent('a message in a poison queue is retried beyond the limit and gets no poison queue of its own', async () => {
  const queue = storage.service.getQueueClient('poisoned-poison');
  await queue.create();
  await queue.sendMessage(encode({ kind: 'poison' }));
  const host = await startHost('unused', { 'AzureWebJobs.work-poison.Disabled': 'false' });
  await until(async () => (await seen(host)).length === 7);
  await until(async () => (await waiting('poisoned-poison')) === 0);
  const names: string[] = [];
  for await (const one of storage.service.listQueues()) names.push(one.name);
  expect(names).not.toContain('poisoned-poison-poison');
  await host.stop();
});

test.concurrent('with the switch on, every message is delivered twice before it is deleted, in parallel or in sequence', async () => {
  const queue = storage.service.getQueueClient('twice');
  await queue.create();
  for (let number = 0; number < 4; number++) await queue.sendMessage(encode({ kind: 'ok', number, waitMs: 50 }));
  const host = await startHost('twice', { MUSTER_HOST_DELIVER_TWICE: '1' });
  await until(async () => (await seen(host)).length === 8);
  const overlaps = new Set<boolean>();
  for (let number = 0; number < 4; number++) {
    const pair = (await seen(host)).filter((one) => one.message.number === number);
    const [first, second] = pair.sort((a, b) => Number(a.metadata.dequeueCount) - Number(b.metadata.dequeueCount));
    expect(pair.map((one) => one.metadata.dequeueCount)).toEqual([1, 2]);
    overlaps.add((second?.begun ?? 0) < (first?.ended ?? 0));
  }
  expect(overlaps).toEqual(new Set([true, false]));
  await until(async () => (await waiting('twice')) === 0);
  await host.stop();
});

test.concurrent('the host waits for a missing queue and for unavailable storage', async () => {
  const port = await freePort();
  const first = await startQueueStorage(port);
  const host = await startHost('later', { DataStorage: first.connectionString });
  await first.stop();
  await host.printed('later is unavailable');
  const second = await startQueueStorage(port);
  const queue = second.service.getQueueClient('later');
  await queue.create();
  await queue.sendMessage(encode({ kind: 'ok' }));
  await until(async () => (await seen(host)).length === 1);
  await host.printed('later is available again');
  expect(host.process.exitCode).toBeNull();
  await host.stop();
  await second.stop();
});

test.concurrent('the host fetches whole batches, and never holds more messages than batch size plus threshold', async () => {
  const queue = storage.service.getQueueClient('many');
  await queue.create();
  await Promise.all(
    Array.from({ length: 200 }, (_, number) => queue.sendMessage(encode({ kind: 'ok', number, waitMs: 20 }))),
  );
  const host = await startHost('many');
  await until(async () => (await seen(host)).length === 200);
  const all = await seen(host);
  const atOnce = Math.max(
    ...all.map((one) => all.filter((other) => other.begun <= one.begun && other.ended > one.begun).length),
  );
  expect(atOnce).toBeGreaterThan(16);
  expect(atOnce).toBeLessThanOrEqual(48);
  await until(async () => (await waiting('many')) === 0);
  await host.stop();
});

test.concurrent('the admin route runs a queue function with the given text', async () => {
  const host = await startHost('unused');
  const answer = await fetch(`${host.url}/admin/functions/work`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: '{"kind":"by hand"}' }),
  });
  expect(answer.status).toBe(202);
  await until(async () => (await seen(host)).length === 1);
  expect((await seen(host))[0]?.message).toEqual({ kind: 'by hand' });
  await host.stop();
});
