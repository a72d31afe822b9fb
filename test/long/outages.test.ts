import { mkdtemp, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { type RunningStack, startRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 600;
let running: RunningStack;
let data: string;

beforeAll(async () => {
  data = await mkdtemp('.muster/outages-');
  running = await startRunningStack(plainTenant(MAILBOXES, {}, 40), { data });
});
afterAll(async () => {
  await running?.stack.stop();
  expect(running?.undocumented ?? []).toEqual([]);
  await rm(data, { recursive: true, force: true });
});

it('completes an import although storage is down for ten seconds, and answers 503 in the meantime', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  let outage: Promise<void> | undefined;
  const answers: { status: number; retryAfter: string | null }[] = [];
  const progress = await running.untilEnded(id, 120_000, ({ percent }) => {
    if (percent >= 10) outage ??= interruptStorage();
  });
  await outage;

  async function interruptStorage(): Promise<void> {
    await running.stack.storage.stop();
    const answer = await running.owner.call('GET', '/v1/connections');
    answers.push({ status: answer.status, retryAfter: answer.headers.get('retry-after') });
    await pause(10_000);
    await running.stack.storage.start();
  }

  expect(answers).toEqual([{ status: 503, retryAfter: expect.stringMatching(/^\d+$/) }]);
  await expectExact(running, progress, MAILBOXES);
}, 150_000);

it('completes an import on a bad day: the vault throttles and refuses us, and the authority is silent', async () => {
  const [connection] = await Array.fromAsync(running.muster.connections.list());
  const addresses = plainAddresses(MAILBOXES).slice(0, 20);
  await running.owner.expect(204, 'DELETE', `/v1/connections/${connection?.id}`);
  const authorityIs = (tokenError: string | null) =>
    running.changeTenant((changed) => {
      for (const app of changed.apps ?? []) Object.assign(app, { tokenError });
    });
  const { id: connectionId } = await running.connect();
  // A new process has no cached secret.
  await running.stack.functions.stop();
  await running.stack.functions.start();
  running.stack.vault.fail('throttled', 2);
  running.stack.vault.fail('forbidden', 1);
  await authorityIs('noAnswer');
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  await expect
    .poll(() => running.stack.vault.counts().some(({ status }) => status === 403), { timeout: 60_000 })
    .toBe(true);
  await pause(3_000);
  expect(await running.progressOf(id)).toMatchObject({ status: 'running', counts: { failed: 0, inconclusive: 0 } });
  await authorityIs(null);
  const progress = await running.untilEnded(id, 90_000);
  await expectExact(running, progress, addresses.length);
  expect(progress.counts.passed).toBe(addresses.length);
}, 150_000);

it('answers 503 with Retry-After while the vault is down, and completes the waiting checks afterwards', async () => {
  const { id: _id, domain, ...credentials } = tenant;
  const [connection] = await Array.fromAsync(running.muster.connections.list());
  const connectionId = connection?.id ?? '';
  await running.stack.vault.stop();
  // A new process has no cached secret, so its checks need the vault.
  await running.stack.functions.stop();
  await running.stack.functions.start();
  const refused = await running.owner.call('POST', '/v1/connections', {
    body: {
      name: 'Another',
      tenant: domain,
      ...credentials,
      clientId: '00000000-0000-4000-8000-00000000beef',
      clientSecretExpiresAt: '2035-12-31T00:00:00Z',
      cloud: 'simulator',
    },
  });
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({ code: 'vault_unavailable' });
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);

  const addresses = ['nobody1', 'nobody2', 'nobody3'].map((name) => `${name}@${domain}`);
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  await pause(4_000);
  const waiting = await running.progressOf(id);
  expect(waiting.counts.pending + waiting.counts.waiting).toBe(3);
  await running.stack.vault.start();
  const progress = await running.untilEnded(id, 60_000);
  await expectExact(running, progress, 3);
  expect(progress.counts.failed).toBe(3);
}, 120_000);
