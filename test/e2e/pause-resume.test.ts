import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { type Progress, useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 400;
const running = useRunningStack(plainTenant(MAILBOXES, {}, 30));

async function untilPaused(id: string): Promise<Progress> {
  return expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 200 })
    .toMatchObject({ status: 'paused' })
    .then(() => running.progressOf(id));
}

it('pauses with one finding when the app is removed from the tenant, and resumes after the fix', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 100 })
    .toMatchObject({ percent: expect.toSatisfy((percent: number) => percent > 10) });
  await running.changeTenant((wanted) => {
    for (const app of wanted.apps ?? []) app.consent = 'absent';
  });
  const paused = await untilPaused(id);
  expect(paused.finding).toMatchObject({ cause: 'service_principal_missing', fix: expect.any(String) });
  expect(paused.counts.failed).toBe(0);
  expect(paused.counts.pending).toBeGreaterThan(0);
  expect(await running.muster.connections.get(connectionId)).toMatchObject({
    status: 'failing',
    finding: { cause: 'service_principal_missing' },
  });
  await expect(running.muster.imports.resume(id)).rejects.toMatchObject({ status: 409, code: 'connection_not_ready' });

  await running.changeTenant(() => undefined);
  const progress = await running.resume(connectionId, id, 60_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 120_000);

it('cancels: finished checks keep their result, all others are cancelled, and no slot stays taken', async () => {
  const [connection] = await Array.fromAsync(running.muster.connections.list());
  const connectionId = connection?.id ?? '';
  const before = await running.owner.expect<{ slotsUsed: number }>(200, 'GET', '/v1/me');
  const unknown = Array.from({ length: 300 }, (_, i) => `nobody${i}@${tenant.domain}`);
  const { id } = await running.startImport(connectionId, csvOf(unknown));
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 50 })
    .toMatchObject({ status: 'running' });
  await running.muster.imports.cancel(id);
  const { status, counts } = await running.untilEnded(id, 30_000);
  expect(status).toBe('cancelled');
  expect(counts.failed + counts.cancelled).toBe(300);
  expect(counts.pending + counts.waiting).toBe(0);
  const after = await running.owner.expect<{ slotsUsed: number }>(200, 'GET', '/v1/me');
  expect(after.slotsUsed).toBe(before.slotsUsed);
}, 60_000);
