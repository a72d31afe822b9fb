import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 1_200;
const NEW_SECRET = 'simulated-Tailspin-8Q~value-of-another-client-secret';
const WRONG_SECRET = 'simulated-Tailspin-8Q~no-secret-of-the-app';
/** Every process needs a new token all the time, and so the secret that is in use. */
const TOKEN_SECONDS = 6;
const MINUTE_MS = 60_000;

const running = useRunningStack(
  plainTenant(MAILBOXES, { tokenSeconds: TOKEN_SECONDS, throttle: { perAppPerTenantPer10s: 600 } }, 20),
  { processes: 3 },
);

const refusedTokens = async (since: Date) =>
  (await running.callsSince(since)).filter(
    ({ service, route, status }) => service === 'entra' && route.endsWith('/token') && status === 401,
  );

it('a replaced secret is used by every process within a minute, and running imports go on', async () => {
  const connection = await running.connect();
  const started = await running.startImport(connection.id, csvOf(plainAddresses(MAILBOXES)));
  await expect
    .poll(async () => (await running.progressOf(started.id)).counts.passed, { timeout: 60_000 })
    .toBeGreaterThan(100);

  const expiry = { clientSecretExpiresAt: '2035-12-31' };
  const wrong = running.muster.connections.replaceClientSecret(connection.id, {
    clientSecret: WRONG_SECRET,
    ...expiry,
  });
  await expect(wrong).rejects.toMatchObject({ status: 422, code: 'credentials_rejected' });

  // The admin makes the new secret, replaces it here, and removes the old one at Microsoft in the same moment.
  const secretsAre = (...values: string[]) =>
    running.changeTenant((changed) => {
      for (const app of changed.apps ?? []) {
        app.secrets = values.map((value) => ({ value, expiresAt: '2036-01-01T00:00:00Z' }));
      }
    });
  await secretsAre(tenant.clientSecret, NEW_SECRET);
  await running.muster.connections.replaceClientSecret(connection.id, { clientSecret: NEW_SECRET, ...expiry });
  await secretsAre(NEW_SECRET);
  const replacedAt = Date.now();

  const statuses = new Set<string>();
  const ended = await running.untilEnded(started.id, 200_000, ({ status }) => void statuses.add(status));
  await expectExact(running, ended, MAILBOXES);
  expect(ended.counts.passed).toBe(MAILBOXES);
  expect(statuses).not.toContain('paused');
  expect(Date.now() - replacedAt).toBeGreaterThan(TOKEN_SECONDS * 1000);
  // After the replacement was answered, the old secret was tried for less than a minute.
  for (const { at } of await refusedTokens(new Date(replacedAt))) {
    expect(Date.parse(at) - replacedAt).toBeLessThan(MINUTE_MS);
  }
  expect(await running.muster.connections.get(connection.id)).toMatchObject({ status: 'ready', finding: null });
}, 300_000);
