import { expect, it } from 'vitest';
import type { Findings } from '../../../../shared/causes/verdict.ts';
import { scopeOf } from '../../../../shared/checks/scope-check/mailbox-scope.ts';
import type { ScopeAnswer, ScopeCheck, ScopeVerdict } from '../../../../shared/connections/grants/scope-check.ts';
import { aConnection, aMailbox, RECORDS_NOW } from '../../../support/records.ts';

const hours = (count: number) => new Date(RECORDS_NOW.getTime() + count * 3_600_000);
const { address } = aMailbox();

const passed = (checkedAt: Date): Findings => ({ 'graph.send': { verdict: 'passed', checkedAt } });
const refused = (checkedAt: Date): Findings => ({
  'graph.send': { verdict: 'failed', cause: 'mailbox_out_of_scope', checkedAt },
});

function scope(checks: Findings, verdict?: ScopeVerdict, answer?: ScopeAnswer, grantsChangedAt = RECORDS_NOW) {
  const lastScopeCheck: ScopeCheck | undefined = verdict && {
    checkedAt: hours(1),
    verdict,
    offLimits: answer ? [{ address, findings: [{ permission: 'Mail.Send', answer }] }] : [],
    roles: [],
  };
  const connection = aConnection({ grantsChangedAt, ...(lastScopeCheck && { lastScopeCheck }) });
  return scopeOf(aMailbox({ checks }), connection);
}

it.each([
  ['unknown', undefined],
  ['unknown', 'inconclusive'],
  ['inScope', 'scoped'],
  ['inScope', 'scopeTooWide'],
  ['tenantWide', 'scopePresentButUnscopedGrant'],
  ['tenantWide', 'tenantWide'],
] as const)('a mailbox that passed is %s after a scope check that says %s', (expected, verdict) => {
  expect(scope(passed(hours(0)), verdict)).toBe(expected);
  expect(scope(passed(hours(2)), verdict)).toBe(expected);
});

it('a mailbox that refuses the app for its scope is out of scope, whatever the scope check says', () => {
  expect(scope(refused(hours(0)))).toBe('outOfScope');
  expect(scope(refused(hours(2)), 'tenantWide')).toBe('outOfScope');
});

it('a mailbox that was never checked, or failed for another reason, is unknown', () => {
  expect(scope({}, 'scoped')).toBe('unknown');
  const full: Findings = { 'graph.readWrite': { verdict: 'failed', cause: 'mailbox_full', checkedAt: hours(0) } };
  expect(scope(full, 'scoped')).toBe('unknown');
});

it('of the mailbox’s own check and the scope check that asked it, the newer one counts', () => {
  expect(scope(passed(hours(0)), 'scoped', 'refused')).toBe('outOfScope');
  expect(scope(passed(hours(2)), 'scoped', 'refused')).toBe('inScope');
  expect(scope(refused(hours(0)), 'tenantWide', 'allowed')).toBe('tenantWide');
  expect(scope({}, 'inconclusive', 'inconclusive')).toBe('unknown');
});

it('a scope check from before a change of the grants says nothing', () => {
  expect(scope(passed(hours(0)), 'scoped', undefined, hours(3))).toBe('unknown');
});
