import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectExact } from '../support/exact.ts';
import {
  csvOf,
  type LoggedCall,
  type Progress,
  plainAddresses,
  plainTenant,
  type RunningStack,
  startRunningStack,
  tenant,
} from '../support/running-stack.ts';

const MAILBOXES = 60;
/** Seconds for minutes; what the product has is 35, 70 and 125 minutes. */
const STEPS = [8, 20, 30];

interface ShownMailbox {
  status: string;
  nextCheckAt: string | null;
  checks: Record<string, { verdict: string; cause?: string }>;
}

let running: RunningStack;
beforeAll(async () => {
  running = await startRunningStack(plainTenant(MAILBOXES), {
    settings: { PROPAGATION_STEPS: STEPS.map((seconds) => `PT${seconds}S`).join(',') },
  });
});
afterAll(() => running?.stack.stop());

const look = (id: string) => running.owner.expect<Progress>(200, 'GET', `/v1/imports/${id}`);
const mailbox = (connectionId: string, address: string) =>
  running.owner.expect<ShownMailbox>(200, 'GET', `/v1/connections/${connectionId}/mailboxes/${address}`);

/** How much sooner than its step a question may come: the steps count from the consent, which was there a moment before. */
const SOONER_SECONDS = 2;
const LATER_SECONDS = 8;

/** Mailboxes in the order in which they were first asked: at once, and at each of the steps. */
function askedBySteps(calls: readonly LoggedCall[], from: Date): { seconds: number[]; mailboxes: string[] }[] {
  const asked = [0, ...STEPS].map(() => ({ seconds: [] as number[], mailboxes: new Set<string>() }));
  for (const call of calls) {
    if (call.service !== 'graph' || call.mailbox === undefined) continue;
    const since = (Date.parse(call.at) - from.getTime()) / 1000;
    const burst = asked[STEPS.filter((step) => since > step - SOONER_SECONDS).length];
    burst?.seconds.push(since);
    burst?.mailboxes.add(call.mailbox);
  }
  return asked
    .filter(({ seconds }) => seconds.length > 0)
    .map(({ seconds, mailboxes }) => ({ seconds, mailboxes: [...mailboxes] }));
}

describe('grants that need longer the more one asks', () => {
  it('makes the app keep quiet, ask one mailbox first at each step, and wake the rest once it passes', async () => {
    const { id: connectionId } = await running.connect();
    const connectedAt = new Date();
    // From now on the grants need ten seconds, and ten more after each question.
    await running.changeTenant((wanted) => {
      wanted.propagation = { seconds: 10, extendsWhenAsked: true };
    });
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
    await expect
      .poll(() => look(id), { timeout: 15_000, interval: 200 })
      .toMatchObject({ counts: { waiting: MAILBOXES, failed: 0, passed: 0, pending: 0 } });
    const rows = await running.allRows(id);
    expect(new Set(rows.map((row) => `${row.state} ${row.cause}`))).toEqual(new Set(['waiting propagating']));
    const waiting = await mailbox(connectionId, `user1@${tenant.domain}`);
    expect(waiting.status).toBe('waiting');
    expect(Date.parse(waiting.nextCheckAt ?? '')).toBeGreaterThan(connectedAt.getTime());
    expect(waiting.checks['graph.send']).toMatchObject({ verdict: 'inconclusive', cause: 'propagating' });

    const progress = await running.untilEnded(id, 60_000);
    await expectExact(running, progress, MAILBOXES);
    expect(progress.counts.passed).toBe(MAILBOXES);

    const [first, ...later] = askedBySteps(await running.callsSince(connectedAt), connectedAt);
    // Once it was plain that none passes the others were not asked at all.
    expect(first?.mailboxes.length).toBeLessThan(MAILBOXES);
    expect(later.length).toBeGreaterThan(1);
    for (const { mailboxes } of later.slice(0, -1)) expect(mailboxes).toHaveLength(1);
    expect(later.at(-1)?.mailboxes).toHaveLength(MAILBOXES);
    const canaries = later.map(({ mailboxes }) => mailboxes[0]);
    expect(new Set(canaries).size).toBe(canaries.length);
    for (const seconds of later.flatMap((burst) => burst.seconds)) {
      const isAtStep = STEPS.some((step) => seconds > step - SOONER_SECONDS && seconds < step + LATER_SECONDS);
      expect(isAtStep, `a question after ${seconds} s`).toBe(true);
    }
  }, 120_000);

  it('lets mailboxes that pass be active at once, and fails a refused one only after the last step', async () => {
    const outside = `user${MAILBOXES}@${tenant.domain}`;
    const { items } = await running.owner.expect<{ items: { id: string }[] }>(200, 'GET', '/v1/connections');
    await running.owner.expect(204, 'DELETE', `/v1/connections/${items[0]?.id}`);
    await running.changeTenant((wanted) => {
      for (const app of wanted.apps ?? []) app.accessPolicy = { deny: [outside] };
    });
    const { id: connectionId } = await running.connect();
    const connectedAt = Date.now();
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
    await expect
      .poll(() => look(id), { timeout: 15_000, interval: 200 })
      .toMatchObject({ counts: { waiting: 1, passed: MAILBOXES - 1 } });
    expect((await mailbox(connectionId, `user1@${tenant.domain}`)).status).toBe('active');
    const progress = await running.untilEnded(id, 60_000);
    expect(Date.now() - connectedAt).toBeGreaterThan((STEPS.at(-1) ?? 0) * 1000 - 2_000);
    await expectExact(running, progress, MAILBOXES);
    expect(progress.counts).toMatchObject({ passed: MAILBOXES - 1, failed: 1 });
    expect((await mailbox(connectionId, outside)).checks['graph.send']).toMatchObject({
      verdict: 'failed',
      cause: 'access_policy_blocked',
    });
  }, 120_000);
});
