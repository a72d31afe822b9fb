import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainTenant, tenant } from '../support/plain-tenant.ts';
import { type Progress, useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 200;
const addresses = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `user${from + i}@${tenant.domain}`);

const running = useRunningStack(
  plainTenant(1_000, {
    apps: [
      {
        clientId: tenant.clientId,
        displayName: 'Outreach',
        secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
        grants: ['Mail.ReadWrite'],
      },
    ],
  }),
);
let connectionId: string;
beforeAll(async () => {
  connectionId = (await running.connect()).id;
});

async function untilPaused(id: string): Promise<Progress> {
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 100 })
    .toMatchObject({ status: 'paused' });
  return running.progressOf(id);
}

it('pauses with one finding and no failed mailbox when every mailbox gets the same refusal, and completes after the fix', async () => {
  const startedAt = new Date();
  const { id } = await running.startImport(connectionId, csvOf(addresses(1, MAILBOXES)));
  const paused = await untilPaused(id);
  expect(paused.finding).toMatchObject({ cause: 'permission_missing', microsoftCode: 'ErrorAccessDenied' });
  expect(paused.counts).toMatchObject({ failed: 0, inconclusive: 0, passed: 0 });
  expect(paused.counts.pending + paused.counts.waiting).toBe(MAILBOXES);
  const connection = await running.owner.expect(200, 'GET', `/v1/connections/${connectionId}`);
  expect(connection).toMatchObject({ status: 'failing', finding: { cause: 'permission_missing' } });
  await pause(2_000);
  const asked = new Set((await running.callsSince(startedAt)).map((call) => call.mailbox).filter(Boolean));
  expect(asked.size).toBeLessThan(MAILBOXES / 2);
  const quietFrom = new Date();
  await pause(2_500);
  expect((await running.callsSince(quietFrom)).filter(({ service }) => service === 'graph')).toEqual([]);

  await running.changeTenant((wanted) => {
    for (const app of wanted.apps ?? []) app.grants = ['Mail.ReadWrite', 'Mail.Send'];
  });
  const progress = await running.resume(connectionId, id, 60_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 120_000);

it('pauses when a permission is removed in the middle of an import, and gives every mailbox a verdict when resumed without a fix', async () => {
  const startedAt = new Date();
  const { id } = await running.startImport(connectionId, csvOf(addresses(301, MAILBOXES)));
  await expect
    .poll(() => running.progressOf(id), { timeout: 30_000, interval: 50 })
    .toMatchObject({ percent: expect.toSatisfy((percent: number) => percent > 10) });
  await running.changeTenant(() => undefined);
  const paused = await untilPaused(id);
  expect(paused.counts).toMatchObject({ failed: 0, inconclusive: 0 });
  expect(paused.counts.passed).toBeGreaterThan(0);
  // The cached token still shows the permission.
  expect(paused.finding).toMatchObject({ cause: 'permission_missing' });
  expect(paused.counts.pending + paused.counts.waiting).toBeGreaterThan(0);

  const progress = await running.resume(connectionId, id, 60_000);
  await expectExact(running, progress, MAILBOXES);
  // A check that passed before the pause may record its result after it. It still counts as passed.
  const letThrough = new Set(
    (await running.callsSince(startedAt))
      .filter(({ route, status }) => route.endsWith('/sendMail') && status === 400)
      .map(({ mailbox }) => mailbox),
  );
  expect(progress.counts).toMatchObject({ passed: letThrough.size, failed: MAILBOXES - letThrough.size });
}, 120_000);
