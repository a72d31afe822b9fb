import { expect, it } from 'vitest';
import { createMuster } from '../../clients/typescript/src/index.ts';
import { createCustomer } from '../../local/customer.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { killAfter } from '../support/killed-process.ts';
import { openVault } from '../support/open-vault.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { everythingStored } from '../support/stored-text.ts';

const MAILBOXES = 300;
const running = useRunningStack(plainTenant(MAILBOXES, {}, 25), {
  settings: { API_KEY_CACHED: 'PT1S', CHECK_TIMEOUT: 'PT2S', RETENTION_SCHEDULE: '*/3 * * * * *' },
});

/** A customer in the middle of an import, with the ids that lead to its data. */
async function customerWithImport(
  api: ApiClient,
): Promise<{ customerId: string; connectionId: string; ids: string[] }> {
  const { customer } = await api.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const registration = {
    ...{ name: 'T', tenant: tenant.domain, clientId: tenant.clientId, clientSecret: tenant.clientSecret },
    ...{ clientSecretExpiresAt: '2035-12-31', cloud: 'simulator' },
  };
  const { id } = await api.expect<{ id: string }>(201, 'POST', '/v1/connections', { body: registration });
  await api.expect(200, 'POST', `/v1/connections/${id}/test`);
  await api.expect(201, 'POST', `/v1/connections/${id}/consent`);
  const upload = { body: csvOf(plainAddresses(MAILBOXES)), contentType: 'text/csv' };
  const started = await api.expect<{ id: string }>(202, 'POST', `/v1/connections/${id}/imports`, upload);
  const passed = async () =>
    (await api.expect<{ counts: { passed: number } }>(200, 'GET', `/v1/imports/${started.id}`)).counts.passed;
  await expect.poll(passed, { timeout: 30_000 }).toBeGreaterThan(20);
  return { customerId: customer.id, connectionId: id, ids: [customer.id, id, started.id] };
}

/** Where something of it is stored. Messages that killed processes had in hand are hidden for minutes, and then dropped. */
async function tracesOf(ids: readonly string[], isKept: (place: string, text: string) => boolean): Promise<string[]> {
  const places: string[] = [];
  for await (const { place, text } of everythingStored(running.stack.local().storage.connectionString)) {
    if (!isKept(place, text) && ids.some((id) => text.includes(id))) places.push(place);
  }
  return places;
}

it('killed while it deletes a connection and a customer in the middle of their imports: nothing of them is left', async () => {
  const { operator, owner, stack } = running;
  const muster = createMuster({ url: stack.local().apiUrl, key: stack.local().operatorKey, fetch: running.fetch });
  const { key } = await createCustomer(muster, { name: 'Globex', mailboxSlots: 1_000 });
  const acme = await customerWithImport(owner);
  const globex = await customerWithImport(createApiClient(stack.local().apiUrl, key, running.fetch));
  const secrets = () => Array.fromAsync(openVault(stack).listPropertiesOfSecrets());
  expect(await secrets()).toHaveLength(2);

  // What stays of Acme on purpose: that its slots were given back exactly once, and what remembers requests.
  const { customerId } = acme;
  const kept = [
    `table customers ${customerId}/claim:`,
    `table customers ${customerId}/release:`,
    'table imports removals/',
  ];
  const ofAcme = () =>
    tracesOf(acme.ids.slice(1), (place) =>
      ['table audit', 'table idempotency', ...kept].some((start) => place.startsWith(start)),
    );
  // Records of what operators did, and the proof of the deletion.
  const ofGlobex = () =>
    tracesOf(globex.ids, (place, text) => place.startsWith('table audit') && text.includes('"role":"operator"'));

  const purge = () => operator.call('DELETE', `/v1/customers/${globex.customerId}?purge=now`);
  const isHidden = async () => (await operator.call('GET', `/v1/customers/${globex.customerId}`)).status === 404;
  await owner.expect(204, 'DELETE', `/v1/connections/${acme.connectionId}`);
  // A process that dies before it has noted the request need not do anything. So the next one lives longer.
  let livedMs = 0;
  do {
    livedMs += 150;
    await killAfter(running, livedMs, purge());
  } while (!(await isHidden()));
  expect((await owner.call('GET', `/v1/connections/${acme.connectionId}`)).status).toBe(404);
  await killAfter(running, livedMs + 100, purge());
  // Nobody asks again. Timers and messages finish it.
  await expect.poll(ofGlobex, { timeout: 120_000, interval: 1_000 }).toEqual([]);
  await expect.poll(ofAcme, { timeout: 120_000, interval: 1_000 }).toEqual([]);
  await expect.poll(secrets, { timeout: 30_000 }).toEqual([]);
  expect(await owner.expect(200, 'GET', '/v1/me')).toMatchObject({ slotsUsed: 0 });
}, 300_000);
