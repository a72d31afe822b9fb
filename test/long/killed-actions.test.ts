import { expect, it } from 'vitest';
import {
  createMuster,
  type DoneMailbox,
  type MailboxAction,
  type NewMailboxAction,
} from '../../clients/typescript/src/index.ts';
import { untilReady } from '../support/killed-process.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useStackBehindProxy } from '../support/stack-behind-proxy.ts';

/** `ACTION_MAILBOXES=10000 npm run test:long -- killed-actions` takes more. */
const MAILBOXES = Number(process.env.ACTION_MAILBOXES ?? 1_000);
const PROCESSES = Number(process.env.ACTION_PROCESSES ?? 1);
const WITHIN_MS = 1_200_000;
/** Transactions of an action that pass before the process is killed. The first one creates its checkpoint. */
const COMMITTED = 6;

const used = useStackBehindProxy(plainTenant(MAILBOXES), { processes: PROCESSES });

/** An action is written in transactions that move its checkpoint. */
const movesCheckpoint = (body: string) => /p(?::|%3a)act_/i.test(body);

const statuses = async (connectionId: string) => {
  const mailboxes = await Array.fromAsync(used.running.muster.mailboxes.list(connectionId, { pageSize: 500 }));
  return Object.fromEntries(
    [...Map.groupBy(mailboxes, ({ status }) => status)].map(([status, some]) => [status, some.length]),
  );
};

/** Follows an action to its end, whatever happens to the processes. Resolves to what it was told. */
async function watch(actionId: string): Promise<{ done: DoneMailbox[]; ended: MailboxAction }> {
  const { running } = used;
  const url = running.stack.local().apiUrl;
  const patient = createMuster({ url, key: running.ownerKey, retry: { max: 500, maxMs: 1_000 } });
  const done: DoneMailbox[] = [];
  for await (const event of patient.mailboxActions.watch(actionId)) {
    if (event.type === 'mailbox') done.push(...event.mailboxes);
    if (event.type === 'done') return { done, ended: event.action };
  }
  throw new Error(`the events of ${actionId} ended without its end`);
}

/** Does something with all mailboxes. With `isKilled`, the processes are killed before a chosen transaction. */
async function act(connectionId: string, action: NewMailboxAction['action'], isKilled: boolean) {
  const { running, proxy } = used;
  const { mailboxActions } = running.muster;
  let passed = 0;
  const held = proxy.holdBack(({ body }) => isKilled && movesCheckpoint(body) && ++passed > COMMITTED);
  const { id } = await mailboxActions.start(connectionId, { action, where: {} });
  const watched = watch(id);
  let doneAtKill = MAILBOXES;
  if (isKilled) {
    await expect.poll(() => held.length, { timeout: WITHIN_MS }).toBeGreaterThan(0);
    doneAtKill = (await mailboxActions.get(id)).counts.done;
    running.stack.functions.kill('SIGKILL');
    proxy.passAll();
    await untilReady(running);
  }
  const startedAt = Date.now();
  const { done, ended } = await watched;
  console.log(`${action}: ${doneAtKill} done at the kill, ended ${Date.now() - startedAt} ms later`);
  return { ended, done, doneAtKill };
}

it(
  `killed while it pauses, resumes, disconnects and removes ${MAILBOXES} mailboxes: each is done once, and slots are exact`,
  async () => {
    const { running } = used;
    const { muster } = running;
    const { id } = await running.connect();
    const started = await running.startImport(id, csvOf(plainAddresses(MAILBOXES)));
    await running.untilEnded(started.id, WITHIN_MS);
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
    for (const { action, isKilled, leaves, slots } of steps) {
      const { ended, done, doneAtKill } = await act(id, action, isKilled);
      if (isKilled) {
        expect(doneAtKill, action).toBeGreaterThan(0);
        expect(doneAtKill, action).toBeLessThan(MAILBOXES);
      }
      expect(ended, action).toMatchObject({ action, status: 'completed', percent: 100, counts: all, skipped: {} });
      expect(await muster.mailboxActions.get(ended.id)).toEqual(ended);
      // Told once, although the stream broke in the middle.
      expect(done, action).toHaveLength(MAILBOXES);
      expect(new Set(done.map(({ address }) => address)).size, action).toBe(MAILBOXES);
      const rows = await Array.fromAsync(muster.mailboxActions.rows(ended.id));
      expect(new Set(rows.map(({ address }) => address)).size, action).toBe(MAILBOXES);
      expect(rows.every(({ state }) => state === 'done')).toBe(true);
      expect(await statuses(id), action).toEqual(leaves);
      expect(await slotsUsed(), action).toBe(slots);
    }
  },
  WITHIN_MS + 120_000,
);
