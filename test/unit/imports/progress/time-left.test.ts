import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectRate, measureMeanRate } from '../../../../shared/imports/dispatching/expect-rate.ts';
import { type Flow, newFlow } from '../../../../shared/imports/dispatching/flow.ts';
import { flowSumsOf } from '../../../../shared/imports/dispatching/measure-flow.ts';
import { zeroCounts } from '../../../../shared/imports/ledger/tally.ts';
import { sumReports } from '../../../../shared/imports/ledger/worker-report.ts';
import { newTenantPace } from '../../../../shared/imports/pacing/tenant-pace.ts';
import { estimateSecondsLeft } from '../../../../shared/imports/progress/time-left.ts';
import { RECORDS_NOW as NOW } from '../../../support/records.ts';

const START = NOW.getTime();
const aFlow = (change: Partial<Flow> = {}): Flow => ({
  ...newFlow(START, flowSumsOf(zeroCounts, sumReports([])), 20),
  ...change,
});
const open = (pending: number) => ({ pending, waiting: 0 });
const free = newTenantPace('tenant');

/** The rates that are expected after each of these ticks of a second. */
function ratesOf(settledPerTick: readonly number[]): (number | undefined)[] {
  const flow = aFlow();
  return settledPerTick.map((settled, i) => {
    measureMeanRate(flow, settled, 1_000);
    return expectRate(flow, free, START + i * 1_000);
  });
}

it('is unknown until rows have been settled for some seconds, and while the import does not run', () => {
  expect(estimateSecondsLeft({ status: 'running' }, open(10), NOW)).toBeNull();
  expect(ratesOf([0, 0, 0, 5, 5])).toEqual(Array(5).fill(undefined));
  expect(ratesOf([0, 0, 0, 5, 5, 5]).at(-1)).toBeCloseTo(5);
  const flow = aFlow({ expectedPerSecond: 5 });
  for (const status of ['accepted', 'planning', 'paused', 'cancelling'] as const) {
    expect(estimateSecondsLeft({ status, flow }, open(10), NOW), status).toBeNull();
  }
});

it('is 0 once the import has ended', () => {
  for (const status of ['completed', 'cancelled', 'failed'] as const) {
    expect(estimateSecondsLeft({ status }, open(0), NOW)).toBe(0);
  }
});

it('follows from the open rows and the mean rate, and from the time for which the import sleeps', () => {
  const flow = aFlow({ expectedPerSecond: 10 });
  expect(estimateSecondsLeft({ status: 'running', flow }, { pending: 200, waiting: 90 }, NOW)).toBe(29);
  expect(estimateSecondsLeft({ status: 'running', flow }, open(1_234), NOW)).toBe(125);
  expect(estimateSecondsLeft({ status: 'running', flow }, open(100_001), NOW)).toBe(10_020);
  const wakeUpAt = new Date(START + 30_000);
  expect(estimateSecondsLeft({ status: 'running', flow, wakeUpAt }, open(100), NOW)).toBe(40);
  expect(estimateSecondsLeft({ status: 'running', flow, wakeUpAt: new Date(0) }, open(100), NOW)).toBe(10);
});

it('a pause or a change of the dispatcher does not change the rate', () => {
  const flow = aFlow();
  for (let i = 0; i < 10; i++) measureMeanRate(flow, 20, 1_000);
  measureMeanRate(flow, 0, 3_600_000);
  expect(expectRate(flow, free, START)).toBeCloseTo(20);
});

it('uses the pace of the tenant while the pace is what limits the import, and knows nothing while Microsoft is silent', () => {
  const flow = aFlow({ cost: 5, paceBoundAt: START, meanRate: { perSecond: 900, overMs: 30_000 } });
  const pace = { ...free, mode: 'paced', limit: 1_000, since: START } as const;
  const paced = expectRate(flow, pace, START) ?? 0;
  expect(paced).toBeGreaterThan(15);
  expect(paced).toBeLessThan(20);
  expect(expectRate(flow, pace, START + 60_000)).toBe(900);
  expect(expectRate(flow, { ...pace, mode: 'down' }, START)).toBeUndefined();
});

it('property: at a steady rate with noise, the estimate stays near the truth and rises by little', () => {
  const noise = fc.array(fc.integer({ min: 60, max: 140 }), { minLength: 40, maxLength: 200 });
  fc.assert(
    fc.property(noise, (settled) => {
      const flow = aFlow();
      let left = settled.reduce((sum, one) => sum + one, 0);
      let before = Number.POSITIVE_INFINITY;
      for (const [i, one] of settled.entries()) {
        measureMeanRate(flow, one, 1_000);
        left -= one;
        flow.expectedPerSecond = expectRate(flow, free, START);
        const estimate = estimateSecondsLeft({ status: 'running', flow }, open(left), NOW);
        if (i < 10 || estimate === null) continue;
        const truth = settled.length - 1 - i;
        expect(Math.abs(estimate - truth)).toBeLessThanOrEqual(6 + truth * 0.45);
        expect(estimate).toBeLessThanOrEqual(before * 1.1 + 6);
        before = estimate;
      }
    }),
  );
});
