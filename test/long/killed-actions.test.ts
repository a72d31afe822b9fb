import { expect, it } from 'vitest';
import type { MailboxAction, NewMailboxAction } from '../../clients/typescript/src/index.ts';
import { killAfter } from '../support/killed-process.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 1_000;
const running = useRunningStack(plainTenant(MAILBOXES));

const statuses = async (connectionId: string) => {
  const mailboxes = await Array.fromAsync(running.muster.mailboxes.list(connectionId));
  return Object.fromEntries(
    [...Map.groupBy(mailboxes, ({ status }) => status)].map(([status, some]) => [status, some.length]),
  );
};

/** Does something with all mailboxes. The process is killed at these moments after the answer, one after the other. */
async function actUnderKills(
  connectionId: string,
  action: NewMailboxAction['action'],
  killsMs: readonly number[],
): Promise<MailboxAction> {
  const { mailboxActions } = running.muster;
  const { id } = await mailboxActions.start(connectionId, { action, where: {} });
  for (const ms of killsMs) await killAfter(running, ms);
  return mailboxActions.wait(id, { pollMs: 100, timeoutMs: 60_000 });
}

it('killed while it pauses, resumes, disconnects and removes a thousand mailboxes: each is done once, and slots are exact', async () => {
  const { muster } = running;
  const { id } = await running.connect();
  const started = await running.startImport(id, csvOf(plainAddresses(MAILBOXES)));
  await running.untilEnded(started.id, 120_000);
  const slotsUsed = async () => (await muster.me()).slotsUsed;
  expect(await slotsUsed()).toBe(MAILBOXES);

  const all = { mailboxes: MAILBOXES, done: MAILBOXES, skipped: 0, pending: 0, waiting: 0, cancelled: 0 };
  const steps = [
    { action: 'pause', killsMs: [20, 150], leaves: { paused: MAILBOXES }, slots: MAILBOXES },
    // Repeatable: nothing changes, and everything is counted.
    { action: 'pause', killsMs: [], leaves: { paused: MAILBOXES }, slots: MAILBOXES },
    { action: 'resume', killsMs: [60], leaves: { active: MAILBOXES }, slots: MAILBOXES },
    { action: 'disconnect', killsMs: [100, 200], leaves: { disconnected: MAILBOXES }, slots: 0 },
    { action: 'remove', killsMs: [100, 300], leaves: {}, slots: 0 },
  ] as const;
  for (const { action, killsMs, leaves, slots } of steps) {
    const ended = await actUnderKills(id, action, killsMs);
    expect(ended, action).toMatchObject({ action, status: 'completed', percent: 100, counts: all, skipped: {} });
    const rows = await Array.fromAsync(muster.mailboxActions.rows(ended.id));
    expect(new Set(rows.map(({ address }) => address)).size, action).toBe(MAILBOXES);
    expect(rows.every(({ state }) => state === 'done')).toBe(true);
    expect(await statuses(id), action).toEqual(leaves);
    expect(await slotsUsed(), action).toBe(slots);
  }
}, 300_000);
