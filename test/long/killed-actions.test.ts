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

/** Does something with all mailboxes. With `isKilled`, the process is killed once some of them are done. */
async function act(
  connectionId: string,
  action: NewMailboxAction['action'],
  isKilled: boolean,
): Promise<{ ended: MailboxAction; doneAtKill: number }> {
  const { mailboxActions } = running.muster;
  const { id } = await mailboxActions.start(connectionId, { action, where: {} });
  let doneAtKill = 0;
  if (isKilled) {
    const readDone = async () => {
      doneAtKill = (await mailboxActions.get(id)).counts.done;
      return doneAtKill;
    };
    await expect.poll(readDone, { interval: 5, timeout: 20_000 }).toBeGreaterThan(0);
    await killAfter(running, 0);
  }
  return { ended: await mailboxActions.wait(id, { pollMs: 100, timeoutMs: 60_000 }), doneAtKill };
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
    { action: 'pause', isKilled: true, leaves: { paused: MAILBOXES }, slots: MAILBOXES },
    // Repeatable: nothing changes, and everything is counted.
    { action: 'pause', isKilled: false, leaves: { paused: MAILBOXES }, slots: MAILBOXES },
    { action: 'resume', isKilled: false, leaves: { active: MAILBOXES }, slots: MAILBOXES },
    { action: 'disconnect', isKilled: true, leaves: { disconnected: MAILBOXES }, slots: 0 },
    { action: 'remove', isKilled: true, leaves: {}, slots: 0 },
  ] as const;
  const inTheMiddle: string[] = [];
  for (const { action, isKilled, leaves, slots } of steps) {
    const { ended, doneAtKill } = await act(id, action, isKilled);
    if (isKilled && doneAtKill < MAILBOXES) inTheMiddle.push(action);
    expect(ended, action).toMatchObject({ action, status: 'completed', percent: 100, counts: all, skipped: {} });
    const rows = await Array.fromAsync(muster.mailboxActions.rows(ended.id));
    expect(new Set(rows.map(({ address }) => address)).size, action).toBe(MAILBOXES);
    expect(rows.every(({ state }) => state === 'done')).toBe(true);
    expect(await statuses(id), action).toEqual(leaves);
    expect(await slotsUsed(), action).toBe(slots);
  }
  expect(inTheMiddle).toContain('disconnect');
}, 300_000);
