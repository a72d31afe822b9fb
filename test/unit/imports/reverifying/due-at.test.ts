import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueAt, isReverified } from '../../../../shared/imports/reverifying/due-at.ts';
import { aMailbox, RECORDS_NOW } from '../../../support/records.ts';

const DAY_MS = 86_400_000;
const times = { reverifyAfterMs: 7 * DAY_MS, reverifyFailedAfterMs: DAY_MS };
const start = RECORDS_NOW.getTime();
const at = (days: number) => new Date(start + days * DAY_MS);
const active = (address: string, checkedAt = RECORDS_NOW) =>
  aMailbox({ address, status: 'active', lastCheck: { checkedAt: checkedAt, verdict: 'passed' } });
const daysUntilDue = (mailbox: ReturnType<typeof aMailbox>, from: Date) =>
  (dueAt('conn_1', mailbox, times).getTime() - from.getTime()) / DAY_MS;

describe('when a mailbox is checked again', () => {
  it('is between one day and one week after its last check, whenever that was', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.integer({ min: 0, max: 400 * DAY_MS }), (address, ms) => {
        const checkedAt = new Date(start + ms);
        const days = daysUntilDue(active(address, checkedAt), checkedAt);
        expect(days).toBeGreaterThanOrEqual(1);
        expect(days).toBeLessThan(7.0001);
      }),
    );
  });

  it('is once in six days after that, at the same moment', () => {
    const first = dueAt('conn_1', active('jane@contoso.example'), times);
    const second = dueAt('conn_1', active('jane@contoso.example', first), times);
    expect((second.getTime() - first.getTime()) / DAY_MS).toBeCloseTo(6, 5);
  });

  it('is spread evenly over the days and over each day, for mailboxes that were checked together', () => {
    const quarters = new Array<number>(24).fill(0);
    for (let i = 0; i < 24_000; i++) {
      const days = daysUntilDue(active(`user${i}@contoso.example`), RECORDS_NOW);
      const quarter = Math.min(23, Math.floor((days - 1) * 4));
      quarters[quarter] = (quarters[quarter] ?? 0) + 1;
    }
    for (const count of quarters) {
      expect(count).toBeGreaterThan(800);
      expect(count).toBeLessThan(1_200);
    }
  });

  it('is within a day after a finding or an inconclusive check, and within a week once it has failed for a month', () => {
    const failed = (since: Date, checkedAt: Date) =>
      aMailbox({
        status: 'failed',
        createdAt: RECORDS_NOW,
        lastCheck: { checkedAt: checkedAt, verdict: 'failed' },
        history: [{ changedAt: since, verdict: 'failed', cause: 'mailbox_not_found' }],
      });
    expect(daysUntilDue(failed(at(0), at(0)), at(0))).toBeLessThanOrEqual(1);
    expect(daysUntilDue(failed(at(0), at(29)), at(29))).toBeLessThanOrEqual(1);
    expect(daysUntilDue(failed(at(0), at(31)), at(31))).toBeGreaterThanOrEqual(1);
    const unclear = aMailbox({ status: 'active', lastCheck: { checkedAt: at(50), verdict: 'inconclusive' } });
    expect(daysUntilDue(unclear, at(50))).toBeLessThanOrEqual(1);
  });

  it('counts from its findings, if its last check is from before that was kept', () => {
    const old = aMailbox({ status: 'active', checks: { 'graph.readWrite': { verdict: 'passed', checkedAt: at(3) } } });
    expect(daysUntilDue(old, at(3))).toBeGreaterThanOrEqual(1);
  });
});

it('leaves out what is paused, disconnected, removed, being checked or was never checked', () => {
  expect(isReverified(aMailbox({ status: 'active' }))).toBe(true);
  expect(isReverified(aMailbox({ status: 'failed' }))).toBe(true);
  expect(isReverified(aMailbox({ status: 'inconclusive' }))).toBe(true);
  expect(isReverified(aMailbox({ status: 'active', pausedAt: RECORDS_NOW }))).toBe(false);
  expect(isReverified(aMailbox({ status: 'disconnected' }))).toBe(false);
  expect(isReverified(aMailbox({ status: 'active', removedBy: 'act_1' }))).toBe(false);
  expect(isReverified(aMailbox({ status: 'active', openRow: 'imp_1:2' }))).toBe(false);
  expect(isReverified(aMailbox({ status: 'pending' }))).toBe(false);
});
