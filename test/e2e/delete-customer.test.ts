import { TableClient } from '@azure/data-tables';
import { expect, it } from 'vitest';
import { tables } from '../../shared/kernel/storage-names.ts';
import { createApiClient } from '../support/api-client.ts';
import { openVault } from '../support/open-vault.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { type Progress, useRunningStack } from '../support/running-stack.ts';
import { countMessages, everythingStored } from '../support/stored-text.ts';

const MAILBOXES = 300;
const scenario = plainTenant(MAILBOXES, {}, 30);
scenario.tenants[0]?.apps?.[0]?.grants?.push('User.Read.All');
const running = useRunningStack(scenario, {
  settings: { API_KEY_CACHED: 'PT1S', CHECK_TIMEOUT: 'PT2S' },
});

const untilRunning = (id: string) =>
  expect.poll(() => running.progressOf(id), { timeout: 30_000, interval: 50 }).toMatchObject({ status: 'running' });

it('deletes a customer while it imports, restores it, and after a purge nothing of it is left anywhere', async () => {
  const { operator, owner, stack } = running;
  const { apiUrl, storage } = stack.local();
  const { customer } = await owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const path = `/v1/customers/${customer.id}`;
  const { items: keys } = await owner.expect<{ items: { id: string }[] }>(200, 'GET', `${path}/api-keys`);
  const [ownerKey] = keys;
  const connection = await running.connect();
  const consent = await owner.expect<{ url: string }>(201, 'POST', `/v1/connections/${connection.id}/consent`);
  expect(consent.url).toContain('state=');
  const first = await running.startImport(connection.id, csvOf(plainAddresses(MAILBOXES)));
  await untilRunning(first.id);

  await operator.expect(204, 'DELETE', path);
  await expect.poll(async () => (await owner.call('GET', '/v1/me')).status, { timeout: 10_000 }).toBe(401);
  await operator.expect(200, 'POST', `${path}/restore`);
  const cancelled = await running.untilEnded(first.id, 60_000);
  expect(cancelled.status).toBe('cancelled');

  // Its upload is kept for an hour.
  await running.muster.imports.start(connection.id, csvOf(plainAddresses(3)), { dryRun: true });
  const second = await owner.expect<Progress>(202, 'POST', `/v1/connections/${connection.id}/imports`, {
    body: csvOf(plainAddresses(MAILBOXES)),
    contentType: 'text/csv',
  });
  await untilRunning(second.id);
  await running.muster.directory.refresh(connection.id);
  const readAt = async () => (await running.muster.directory.state(connection.id)).readAt;
  await expect.poll(readAt, { timeout: 30_000, interval: 100 }).not.toBeNull();
  // A message of this customer that could not be handled.
  const poison = TableClient.fromConnectionString(storage.connectionString, tables.poison, {
    allowInsecureConnection: true,
  });
  const message = { customerId: customer.id, importId: second.id, address: `user1@${tenant.domain}` };
  await poison.createEntity({ partitionKey: 'check-mailbox', rowKey: 'one', message: JSON.stringify(message) });
  const operators = await operator.expect<{ key: string }>(201, 'POST', `${path}/api-keys`, {
    body: { name: 'ours', role: 'operator', expiresAt: '2035-01-01T00:00:00Z' },
  });

  const [secret, ...others] = await Array.fromAsync(openVault(stack).listPropertiesOfSecrets());
  expect(secret?.tags).toMatchObject({ customer: customer.id, connection: connection.id });
  expect(others).toEqual([]);
  expect((await openVault(stack).getSecret(secret?.name ?? '')).value).toBe(tenant.clientSecret);
  await operator.expect(204, 'DELETE', `${path}?purge=now`);
  expect(await Array.fromAsync(openVault(stack).listPropertiesOfSecrets())).toEqual([]);
  // Messages of the cancelled import are dropped when they arrive.
  await expect.poll(() => countMessages(storage.connectionString), { timeout: 60_000, interval: 500 }).toBe(0);

  const { items: records } = await operator.expect<{ items: { id: string }[] }>(200, 'GET', '/v1/audit', {
    headers: { 'Muster-Customer': customer.id },
  });
  expect(records).toEqual([
    expect.objectContaining({
      action: 'customers.delete',
      actor: { keyId: 'operator', role: 'operator' },
      object: customer.id,
      result: 'succeeded',
      address: null,
    }),
  ]);
  const proof = records[0]?.id ?? '';
  const traces = [customer.id, connection.id, first.id, second.id, ownerKey?.id ?? 'none', `@${tenant.domain}`];
  const left: string[] = [];
  for await (const { place, text } of everythingStored(storage.connectionString)) {
    // The operator's key stays in the partition that its text names.
    if (place.startsWith(`table ${tables.apiKeys} `) && text.includes('"role":"operator"')) continue;
    // The one audit record that proves the deletion. It is in the list of the customer and in the list of all.
    if (place.startsWith(`table ${tables.audit} `) && text.includes(proof)) {
      expect(JSON.parse(text)).not.toHaveProperty('address');
      continue;
    }
    if (traces.some((trace) => text.includes(trace))) left.push(place);
  }
  expect(left).toEqual([]);
  expect((await createApiClient(apiUrl, operators.key, running.fetch).call('GET', '/v1/customers')).status).toBe(200);
  expect((await owner.call('GET', '/v1/me')).status).toBe(401);
}, 180_000);
