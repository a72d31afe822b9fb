import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { expect, it } from 'vitest';
import { containers, poisonQueues, queues, tables } from '../../shared/kernel/storage-names.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const running = useRunningStack(plainTenant(60));

async function everythingStored(connectionString: string): Promise<string[]> {
  const texts: string[] = [];
  for (const name of Object.values(tables)) {
    const table = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
    for await (const entity of table.listEntities()) texts.push(`${name} ${JSON.stringify(entity)}`);
  }
  const ofQueues = QueueServiceClient.fromConnectionString(connectionString);
  for (const name of [...Object.values(queues), ...Object.values(poisonQueues)]) {
    const peeked = await ofQueues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peeked.peekedMessageItems) {
      texts.push(`${name} ${messageText} ${Buffer.from(messageText, 'base64').toString()}`);
    }
  }
  const ofBlobs = BlobServiceClient.fromConnectionString(connectionString);
  for (const name of Object.values(containers)) {
    const container = ofBlobs.getContainerClient(name);
    for await (const blob of container.listBlobsFlat()) {
      texts.push(`${blob.name} ${(await container.getBlobClient(blob.name).downloadToBuffer()).toString()}`);
    }
  }
  return texts;
}

it('keeps client secrets, access tokens and API keys out of every table, queue, blob and log line', async () => {
  const { stack, owner, ownerKey } = running;
  const { id: connectionId } = await running.connect();
  // Refused secrets must not leak either.
  const wrong = 'simulated-wrong-8Q~another-secret-that-microsoft-refuses';
  const body = { clientSecret: wrong, clientSecretExpiresAt: '2035-12-31T00:00:00Z' };
  await owner.expect(422, 'PUT', `/v1/connections/${connectionId}/client-secret`, { body });
  await owner.expect(201, 'POST', `/v1/connections/${connectionId}/consent`, { headers: { 'idempotency-key': 'one' } });
  const customer = await owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const made = await owner.expect<{ key: string }>(201, 'POST', `/v1/customers/${customer.customer.id}/api-keys`, {
    body: { name: 'another', role: 'viewer' },
    headers: { 'idempotency-key': 'two' },
  });
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(60)));
  await running.untilEnded(id, 60_000);

  const stored = await everythingStored(stack.local().storage.connectionString);
  expect(stored.length).toBeGreaterThan(120);
  const texts = [...stored, ...stack.logs];
  const secrets = [
    tenant.clientSecret,
    wrong,
    ownerKey,
    made.key,
    stack.local().operatorKey,
    stack.local().identity.clientSecret,
  ];
  for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  // The tokens of the simulated Entra are JWTs, like Microsoft's.
  expect(texts.filter((text) => /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./.test(text))).toEqual([]);
}, 120_000);
