import { describe, expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { type LoggedCall, useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 60;
/** Seconds instead of the product's 35, 70 and 125 minutes. */
const STEPS = [8, 20, 30];

const running = useRunningStack(plainTenant(MAILBOXES), {
  settings: { PROPAGATION_STEPS: STEPS.map((seconds) => `PT${seconds}S`).join(',') },
});

const mailbox = (connectionId: string, address: string) => running.muster.mailboxes.get(connectionId, address);

/** How long before its step a request may come. The steps count from the consent, a moment before the test's clock. */
const SOONER_SECONDS = 2;
const LATER_SECONDS = 8;

/** The mailboxes asked in each burst of requests, in order: immediately, and at each step. */
function burstsOfRequests(calls: readonly LoggedCall[], from: Date): { seconds: number[]; mailboxes: string[] }[] {
  const bursts = [0, ...STEPS].map(() => ({ seconds: [] as number[], mailboxes: new Set<string>() }));
  for (const call of calls) {
    if (call.service !== 'graph' || call.mailbox === undefined) continue;
    const seconds = (Date.parse(call.at) - from.getTime()) / 1000;
    const burst = bursts[STEPS.filter((step) => seconds > step - SOONER_SECONDS).length];
    burst?.seconds.push(seconds);
    burst?.mailboxes.add(call.mailbox);
  }
  return bursts
    .filter(({ seconds }) => seconds.length > 0)
    .map(({ seconds, mailboxes }) => ({ seconds, mailboxes: [...mailboxes] }));
}

describe('propagation that takes longer with every request', () => {
  it('asks nothing between the steps, one mailbox at each step, and the others once one passes', async () => {
    const { id: connectionId } = await running.connect();
    const connectedAt = new Date();
    // From now on the grants need ten seconds, and ten more after each request.
    await running.changeTenant((wanted) => {
      wanted.propagation = { seconds: 10, extendsWhenAsked: true };
    });
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
    await expect
      .poll(() => running.progressOf(id), { timeout: 15_000, interval: 200 })
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

    const [first, ...later] = burstsOfRequests(await running.callsSince(connectedAt), connectedAt);
    // As soon as it was clear that none passes, the others were not asked.
    expect(first?.mailboxes.length).toBeLessThan(MAILBOXES);
    expect(later.length).toBeGreaterThan(1);
    for (const { mailboxes } of later.slice(0, -1)) expect(mailboxes).toHaveLength(1);
    expect(later.at(-1)?.mailboxes).toHaveLength(MAILBOXES);
    const canaries = later.map(({ mailboxes }) => mailboxes[0]);
    expect(new Set(canaries).size).toBe(canaries.length);
    for (const seconds of later.flatMap((burst) => burst.seconds)) {
      const isAtStep = STEPS.some((step) => seconds > step - SOONER_SECONDS && seconds < step + LATER_SECONDS);
      expect(isAtStep, `a request after ${seconds} s`).toBe(true);
    }
  }, 120_000);

  it('activates mailboxes that pass immediately, and fails a refused one only after the last step', async () => {
    const outside = `user${MAILBOXES}@${tenant.domain}`;
    for await (const { id } of running.muster.connections.list()) await running.muster.connections.remove(id);
    await running.changeTenant((wanted) => {
      for (const app of wanted.apps ?? []) app.accessPolicy = { deny: [outside] };
    });
    const { id: connectionId } = await running.connect();
    const connectedAt = Date.now();
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
    await expect
      .poll(() => running.progressOf(id), { timeout: 15_000, interval: 200 })
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
