import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createMuster } from '../../clients/typescript/src/index.ts';
import { createCustomer } from '../../local/customer.ts';
import { createApiClient } from '../support/api-client.ts';
import { openVault } from '../support/open-vault.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { everythingStored } from '../support/stored-text.ts';

const MAILBOXES = 400;
const NEW_SECRET = 'simulated-Tailspin-8Q~value-of-another-client-secret';
/** When the process is killed, in milliseconds after the request. */
const MOMENTS = [10, 40, 90, 160, 300];

const running = useRunningStack(
  plainTenant(
    MAILBOXES,
    {
      apps: [
        {
          clientId: tenant.clientId,
          secrets: [tenant.clientSecret, NEW_SECRET].map((value) => ({ value, expiresAt: '2036-01-01T00:00:00Z' })),
          grants: ['Mail.ReadWrite', 'Mail.Send'],
        },
      ],
    },
    15,
  ),
  {
    settings: {
      API_KEY_CACHED: 'PT1S',
      CHECK_TIMEOUT: 'PT2S',
      EXPIRY_SCHEDULE: '*/3 * * * * *',
      ORPHANED_SECRET_AFTER: 'PT2S',
      REPLACED_SECRET_KEPT: 'PT2S',
    },
  },
);

/** Kills the process some time after a request began, whatever becomes of it, and waits until a new one answers. */
async function killAfter(ms: number, request: Promise<unknown>): Promise<void> {
  request.catch(() => undefined);
  await pause(ms);
  running.stack.functions.kill('SIGKILL');
  await request.catch(() => undefined);
  await untilReady();
}
const untilReady = () =>
  expect
    .poll(
      () =>
        running.operator.call('GET', '/v1/health/ready').then(
          ({ status }) => status,
          () => 0,
        ),
      {
        timeout: 30_000,
      },
    )
    .toBe(200);

const secretsInVault = async () =>
  (await Array.fromAsync(openVault(running.stack).listPropertiesOfSecrets())).map(({ name }) => name);
const untilSecrets = (count: number) =>
  expect.poll(async () => (await secretsInVault()).length, { timeout: 60_000, interval: 500 }).toBe(count);

/** Sends it again until it has an answer, as a client does whose server dies. */
const patiently = <T>(request: () => Promise<T>) =>
  expect
    .poll(
      () =>
        request().then(
          () => true,
          () => false,
        ),
      { timeout: 30_000 },
    )
    .toBe(true);

it('killed while it replaces a secret: the old one is in use or the new one, and no other stays in the vault', async () => {
  const { id } = await running.connect();
  const { connections } = running.muster;
  for (const [i, ms] of MOMENTS.entries()) {
    const clientSecret = i % 2 === 0 ? NEW_SECRET : tenant.clientSecret;
    const headers = { body: { clientSecret, clientSecretExpiresAt: '2035-12-31' } };
    await killAfter(ms, running.owner.call('PUT', `/v1/connections/${id}/client-secret`, headers));
    expect(await connections.test(id)).toMatchObject({ verdict: 'passed' });
  }
  await untilSecrets(1);
  expect(await connections.test(id)).toMatchObject({ verdict: 'passed' });
}, 240_000);

it('killed while it deletes a connection in the middle of an import: nothing of it is left', async () => {
  const [earlier] = await Array.fromAsync(running.muster.connections.list());
  const { id } = earlier ?? (await running.connect());
  const started = await running.startImport(id, csvOf(plainAddresses(MAILBOXES)));
  await expect
    .poll(async () => (await running.progressOf(started.id)).counts.passed, { timeout: 30_000 })
    .toBeGreaterThan(20);
  await killAfter(20, running.owner.call('DELETE', `/v1/connections/${id}`));
  await patiently(() =>
    running.muster.connections.remove(id).catch((error) => error.status === 404 || Promise.reject(error)),
  );
  expect((await running.owner.call('GET', `/v1/connections/${id}`)).status).toBe(404);
  await pause(700);
  running.stack.functions.kill('SIGKILL');
  await untilReady();

  await untilSecrets(0);
  // The slots were given back exactly once, which these rows prove. The other ones are removed when they are due.
  const { id: customerId } = (await running.owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me')).customer;
  const slots = ['claim', 'release'].map((kind) => `table customers ${customerId}/${kind}:`);
  const KEPT = ['table audit', 'table idempotency', 'table imports removals/', ...slots];
  const { connectionString } = running.stack.local().storage;
  const left = async () => {
    const places: string[] = [];
    for await (const { place, text } of everythingStored(connectionString)) {
      if (KEPT.some((kept) => place.startsWith(kept))) continue;
      if (text.includes(id) || text.includes(started.id)) places.push(place);
    }
    return places;
  };
  await expect.poll(left, { timeout: 150_000, interval: 1_000 }).toEqual([]);
  await expect
    .poll(async () => (await running.owner.expect<{ slotsUsed: number }>(200, 'GET', '/v1/me')).slotsUsed)
    .toBe(0);
}, 240_000);

it('killed twice while it purges a customer in the middle of an import: nothing of it is left anywhere', async () => {
  const { operator, stack } = running;
  const made = await createCustomer(operatorClient(), { name: 'Globex', mailboxSlots: 1_000 });
  const globex = createApiClient(stack.local().apiUrl, made.key, running.fetch);
  const { customer } = await globex.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const registration = {
    ...{ name: 'T', tenant: tenant.domain, clientId: tenant.clientId, clientSecret: tenant.clientSecret },
    ...{ clientSecretExpiresAt: '2035-12-31', cloud: 'simulator' },
  };
  const { id } = await globex.expect<{ id: string }>(201, 'POST', '/v1/connections', { body: registration });
  await globex.expect(200, 'POST', `/v1/connections/${id}/test`);
  await globex.expect(201, 'POST', `/v1/connections/${id}/consent`);
  const started = await globex.expect<{ id: string }>(202, 'POST', `/v1/connections/${id}/imports`, {
    body: csvOf(plainAddresses(MAILBOXES)),
    contentType: 'text/csv',
  });
  await expect
    .poll(
      async () =>
        (await globex.expect<{ counts: { passed: number } }>(200, 'GET', `/v1/imports/${started.id}`)).counts.passed,
      { timeout: 30_000 },
    )
    .toBeGreaterThan(20);
  const path = `/v1/customers/${customer.id}?purge=now`;
  await killAfter(150, operator.call('DELETE', path));
  await patiently(() =>
    operator.call('DELETE', path).then(({ status }) => ([204, 404].includes(status) ? status : Promise.reject(status))),
  ).catch(() => undefined);
  await killAfter(250, operator.call('DELETE', path));

  // Messages that the killed process had in hand stay hidden for minutes. Then they are dropped.
  const traces = [customer.id, id, started.id];
  const { connectionString } = stack.local().storage;
  const left = async () => {
    const places: string[] = [];
    for await (const { place, text } of everythingStored(connectionString)) {
      // Records of what operators did, and the proof of the deletion.
      if (place.startsWith('table audit') && text.includes('"role":"operator"')) continue;
      if (traces.some((trace) => text.includes(trace))) places.push(place);
    }
    return places;
  };
  await expect.poll(left, { timeout: 120_000, interval: 1_000 }).toEqual([]);
  await untilSecrets(0);
}, 300_000);

function operatorClient() {
  return createMuster({
    url: running.stack.local().apiUrl,
    key: running.stack.local().operatorKey,
    fetch: running.fetch,
  });
}
