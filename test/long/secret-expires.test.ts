import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 3_000;
/** More checks of one import than this are never under way on one process. */
const WINDOW = 512;
const NEW_SECRET = 'simulated-Tailspin-8Q~value-of-the-next-client-secret';

const running = useRunningStack(plainTenant(MAILBOXES));

it('pauses with one finding when the secret expires during an import, stops asking, and goes on by itself with a new secret', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 100 })
    .toMatchObject({ percent: expect.toSatisfy((percent: number) => percent > 10) });

  const expiredAt = new Date();
  await running.changeTenant((tenant) => {
    for (const app of tenant.apps ?? [])
      for (const secret of app.secrets ?? []) secret.expiresAt = expiredAt.toISOString();
  });
  await expect
    .poll(() => running.progressOf(id), { timeout: 20_000, interval: 100 })
    .toMatchObject({ status: 'paused' });
  const pausedAt = new Date();
  const paused = await running.progressOf(id);
  expect(paused.finding).toMatchObject({ cause: 'secret_expired', fix: expect.any(String), link: expect.any(String) });
  expect(paused.counts).toMatchObject({ failed: 0, inconclusive: 0 });
  expect(paused.counts.pending + paused.counts.waiting).toBeGreaterThan(0);
  const refused = (await running.callsSince(expiredAt)).filter(
    (call) => call.service === 'graph' && call.status === 401 && !call.inBatch,
  );
  expect(refused.length).toBeLessThanOrEqual(WINDOW);

  // Checks in flight have ended. From then on there are no more requests.
  await pause(1_500);
  const settledAt = new Date(Math.max(pausedAt.getTime() + 1_000, Date.now() - 500));
  await pause(2_500);
  const later = (await running.callsSince(settledAt)).filter(
    ({ service }) => service === 'graph' || service === 'entra',
  );
  expect(later.filter(({ route }) => !route.includes('openid'))).toEqual([]);
  expect((await running.progressOf(id)).counts).toEqual((await running.progressOf(id)).counts);

  await running.changeTenant((tenant) => {
    for (const app of tenant.apps ?? []) app.secrets = [{ value: NEW_SECRET, expiresAt: '2036-01-01T00:00:00Z' }];
  });
  await running.muster.connections.replaceClientSecret(connectionId, {
    clientSecret: NEW_SECRET,
    clientSecretExpiresAt: '2035-12-31T00:00:00Z',
  });
  expect(await running.muster.connections.get(connectionId)).toMatchObject({ status: 'ready', finding: null });
  // Nobody resumes it.
  const progress = await running.untilEnded(id, 90_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 180_000);
