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

/** Mailboxes in the order in which they were first asked in each burst of calls; bursts lie two seconds apart. */
function burstsOf(calls: readonly LoggedCall[]): { at: number; mailboxes: string[] }[] {
  const bursts: { at: number; last: number; mailboxes: string[] }[] = [];
  for (const call of calls) {
    if (call.service !== 'graph' || call.mailbox === undefined) continue;
    const at = Date.parse(call.at);
    const current = bursts.at(-1);
    if (!current || at - current.last > 2_000) bursts.push({ at, last: at, mailboxes: [call.mailbox] });
    else {
      current.last = at;
      if (!current.mailboxes.includes(call.mailbox)) current.mailboxes.push(call.mailbox);
    }
  }
  return bursts;
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

    const bursts = burstsOf(await running.callsSince(connectedAt));
    const [first, ...steps] = bursts;
    // Once it was plain that none passes the others were not asked at all.
    expect(first?.mailboxes.length).toBeLessThan(MAILBOXES);
    expect(steps.slice(0, -1).map((burst) => burst.mailboxes.length)).toEqual([1]);
    expect(steps.at(-1)?.mailboxes.length).toBe(MAILBOXES);
    expect(steps[0]?.mailboxes[0]).not.toBe(steps[1]?.mailboxes[0]);
    for (const burst of steps) {
      const since = (burst.at - connectedAt.getTime()) / 1000;
      expect(
        STEPS.some((step) => since > step - 3 && since < step + 5),
        `a burst after ${since} s`,
      ).toBe(true);
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
