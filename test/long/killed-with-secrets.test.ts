import { expect, it } from 'vitest';
import { killAfter } from '../support/killed-process.ts';
import { openVault } from '../support/open-vault.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const NEW_SECRET = 'simulated-Tailspin-8Q~value-of-another-client-secret';
/** When the process is killed, in milliseconds after the request. */
const MOMENTS = [10, 40, 90, 160, 300];

const running = useRunningStack(
  plainTenant(
    1,
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

const secretsInVault = async () =>
  (await Array.fromAsync(openVault(running.stack).listPropertiesOfSecrets())).map(({ name }) => name);
const untilSecrets = (count: number) =>
  expect.poll(async () => (await secretsInVault()).length, { timeout: 60_000, interval: 500 }).toBe(count);

it('killed while it replaces a secret: the old one is in use or the new one, and no other stays in the vault', async () => {
  const { id } = await running.connect();
  const { connections } = running.muster;
  for (const [i, ms] of MOMENTS.entries()) {
    const clientSecret = i % 2 === 0 ? NEW_SECRET : tenant.clientSecret;
    const headers = { body: { clientSecret, clientSecretExpiresAt: '2035-12-31' } };
    await killAfter(running, ms, running.owner.call('PUT', `/v1/connections/${id}/client-secret`, headers));
    expect(await connections.test(id)).toMatchObject({ verdict: 'passed' });
  }
  await untilSecrets(1);
  expect(await connections.test(id)).toMatchObject({ verdict: 'passed' });
}, 240_000);

it('killed while it creates a webhook: each secret in the vault has its webhook', async () => {
  const { webhooks } = running.muster;
  const before = (await secretsInVault()).length;
  for (const ms of MOMENTS) {
    const body = { url: 'https://hooks.example/', events: ['import.completed'] };
    await killAfter(running, ms, running.owner.call('POST', '/v1/webhooks', { body }));
  }
  const created = await Array.fromAsync(webhooks.list());
  await untilSecrets(before + created.length);
  for (const { id } of created) expect((await webhooks.rotate(id)).secret).toMatch(/^whsec_/);
}, 240_000);
