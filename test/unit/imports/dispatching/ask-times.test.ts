import { expect, it } from 'vitest';
import { nextAskAt } from '../../../../shared/imports/dispatching/ask-times.ts';
import { newFlow } from '../../../../shared/imports/dispatching/flow.ts';
import { flowSumsOf } from '../../../../shared/imports/dispatching/measure-flow.ts';
import { zeroCounts } from '../../../../shared/imports/ledger/tally.ts';
import { sumReports } from '../../../../shared/imports/ledger/worker-report.ts';
import { newTenantPace, type TenantPace } from '../../../../shared/imports/pacing/tenant-pace.ts';

const NOW = 1_000_000;
const aFlow = () => ({ ...newFlow(NOW, flowSumsOf(zeroCounts, sumReports([])), 20), cost: 5 });
const pace: TenantPace = { ...newTenantPace('tenant'), mode: 'paced', limit: 100, since: NOW };

/** When messages are asked that are all sent now. */
function askTimes(count: number, atLimit: number): number[] {
  const flow = aFlow();
  return Array.from({ length: count }, () => (nextAskAt(flow, { ...pace, limit: atLimit }, NOW)?.getTime() ?? 0) - NOW);
}

it('spaces messages that are sent together as evenly as the pace is', () => {
  const [first = 0, second = 0, third = 0] = askTimes(3, 100);
  expect(first).toBe(1_000);
  expect(second - first).toBeCloseTo(third - second, -1);
  // 94.4 of 100 requests in ten seconds, five for each mailbox.
  expect(second - first).toBeGreaterThan(500);
  expect(second - first).toBeLessThan(550);
});

it('lets no message wait for more than three seconds in the hand of a worker', () => {
  expect(Math.max(...askTimes(50, 10))).toBeLessThanOrEqual(3_000);
});

it('delays messages less at a higher pace, where the queue is polled all the time', () => {
  const [first] = askTimes(1, 10_000);
  expect(first).toBeLessThan(50);
});

it('names no instant while no pace is known', () => {
  for (const mode of ['free', 'hold', 'down'] as const)
    expect(nextAskAt(aFlow(), { ...pace, mode }, NOW)).toBeUndefined();
});
