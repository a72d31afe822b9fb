import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { expect, it } from 'vitest';
import { poisonQueues, queues, tables } from '../../shared/kernel/storage-names.ts';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const stuck = `user2@${tenant.domain}`;
/** How long Microsoft takes for each request. A check needs two of them. */
const LATENCY_MS = 5_000;
const running = useRunningStack(plainTenant(2, {}, LATENCY_MS));

const connectionString = () => running.stack.local().storage.connectionString;
const table = (name: string) =>
  TableClient.fromConnectionString(connectionString(), name, { allowInsecureConnection: true });
const encode = (message: object) => Buffer.from(JSON.stringify(message)).toString('base64');

it('fails the mailbox of a poison message with internal_error, archives the message, and completes the import', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf([stuck, `user1@${tenant.domain}`]));
  // The check takes some seconds, so its row is pending, just as after five failed tries.
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 200 })
    .toMatchObject({ status: 'running', counts: { pending: 2 } });
  const row = await table(tables.mailboxes).getEntity<Record<string, unknown>>(connectionId, `r:${id}:000000002`);
  expect(row.state).toBe('pending');
  const { customer } = await running.muster.me();
  const message = {
    v: 2,
    customerId: customer?.id,
    connectionId,
    importId: id,
    line: 2,
    address: stuck,
    rowTag: row.etag,
    attempt: 0,
    epoch: 1,
    tries: 0,
  };
  await new QueueClient(connectionString(), poisonQueues.checkMailbox).sendMessage(encode(message));

  const progress = await running.untilEnded(id, 30_000);
  await expectExact(running, progress, 2);
  expect(progress.counts).toMatchObject({ passed: 1, failed: 1 });
  expect(await running.allRows(id)).toContainEqual(
    expect.objectContaining({ address: stuck, cause: 'internal_error' }),
  );
  const archived = await table(tables.poison).getEntity<Record<string, unknown>>(queues.checkMailbox, `${id}:2`);
  expect(JSON.parse(String(archived.message))).toMatchObject({ importId: id, line: 2 });
}, 90_000);

it('survives a poison message that is not one of Muster’s', async () => {
  await new QueueClient(connectionString(), poisonQueues.checkMailbox).sendMessage(encode({ hello: 'world' }));
  const archived = async () => {
    const found: string[] = [];
    for await (const entity of table(tables.poison).listEntities<Record<string, unknown>>())
      found.push(String(entity.message));
    return found.join();
  };
  await expect.poll(archived, { timeout: 15_000 }).toContain('world');
  expect(await running.muster.me()).toMatchObject({ role: 'owner' });
}, 30_000);
