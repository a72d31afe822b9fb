import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { isAlive } from '../../local/processes.ts';
import { type Storage, startStorage } from '../../local/storage.ts';
import { containers, poisonQueues, queues, tables } from '../../shared/kernel/storage-names.ts';

let folder: string;
let storage: Storage;
let restarts = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-storage-'));
  storage = await startStorage({ folder, onRestart: () => restarts++ });
});
afterAll(async () => {
  await storage.stop();
  await rm(folder, { recursive: true });
});

const queue = () => QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient('check-mailbox');

it('has exactly the queues, tables and containers of the app', async () => {
  const [ofQueues, ofTables, ofBlobs] = [
    QueueServiceClient.fromConnectionString(storage.connectionString),
    TableServiceClient.fromConnectionString(storage.connectionString, { allowInsecureConnection: true }),
    BlobServiceClient.fromConnectionString(storage.connectionString),
  ];
  const names = async (list: AsyncIterable<{ name?: string }>) =>
    (await Array.fromAsync(list, (one) => one.name ?? '')).sort();
  expect(await names(ofQueues.listQueues())).toEqual([...Object.values(queues), ...Object.values(poisonQueues)].sort());
  expect(await names(ofTables.listTables())).toEqual(Object.values(tables).sort());
  expect(await names(ofBlobs.listContainers())).toEqual(Object.values(containers).sort());
});

it('counts every request answered so far, and starts over after a reset', async () => {
  await storage.resetCounts();
  for (let index = 0; index < 30; index += 1) await queue().sendMessage(`${index}`);
  const table = TableClient.fromConnectionString(storage.connectionString, 'mailboxes', {
    allowInsecureConnection: true,
  });
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  expect(await storage.counts()).toEqual([
    { service: 'queue', method: 'POST', route: 'check-mailbox/messages', status: 201, count: 30 },
    { service: 'table', method: 'POST', route: 'mailboxes', status: 204, count: 1 },
  ]);
  await storage.resetCounts();
  expect(await storage.counts()).toEqual([]);
  await queue().clearMessages();
});

it('restarts on the same ports with every acknowledged write', async () => {
  await queue().sendMessage('kept');
  await storage.stop();
  expect(storage.pid()).toBe(0);
  await storage.start();
  const { receivedMessageItems } = await queue().receiveMessages();
  expect(receivedMessageItems.map((item) => item.messageText)).toEqual(['kept']);
});

// Ctrl-C in a terminal signals a whole process group. The app must still be able to write what it has in flight.
it.skipIf(process.platform === 'win32')('has its own process group', () => {
  expect(() => process.kill(-storage.pid(), 0)).not.toThrow();
});

it('restarts by itself when it dies, with another process id', async () => {
  const before = storage.pid();
  process.kill(before, 'SIGTERM');
  await expect.poll(() => restarts, { timeout: 15_000 }).toBe(1);
  expect(storage.pid()).not.toBe(before);
  expect((await queue().getProperties()).approximateMessagesCount).toBe(1);
});

it('ends when the process that started it is killed, and loses no data', async () => {
  const elsewhere = join(folder, 'elsewhere');
  const starter = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { startStorage } from '${new URL('../../local/storage.ts', import.meta.url).href}';
     const storage = await startStorage({ folder: ${JSON.stringify(elsewhere)} });
     const { QueueServiceClient } = await import('@azure/storage-queue');
     await QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient('check-mailbox').sendMessage('kept');
     console.log(storage.pid());`,
  ]);
  const pid = await new Promise<number>((resolve) => starter.stdout.once('data', (text) => resolve(Number(text))));
  starter.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);

  const again = await startStorage({ folder: elsewhere });
  const client = QueueServiceClient.fromConnectionString(again.connectionString).getQueueClient('check-mailbox');
  expect((await client.getProperties()).approximateMessagesCount).toBe(1);
  await again.stop();
});

it('takes other ports if other programs take them while it starts', async () => {
  const ports = { blob: await freePort(), queue: await freePort(), table: await freePort() };
  const started = startStorage({ ports });
  // By now the ports were found free. The storage needs much longer than this until it listens.
  await pause(30);
  const others = Object.values(ports).map((port) => {
    // It accepts connections, so it looks like a storage that answers.
    const other = createServer((socket) => socket.on('error', () => undefined).destroy());
    return other.listen({ port, host: '127.0.0.1', exclusive: true });
  });
  const { ports: chosen, stop } = await started;
  for (const port of Object.values(chosen)) expect(Object.values(ports)).not.toContain(port);
  await stop();
  for (const other of others) other.close();
});
