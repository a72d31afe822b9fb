import { expect, it } from 'vitest';
import { rowResultOf } from '../../../../shared/imports/ledger/row-result.ts';

const AT = new Date('2026-06-01T12:00:00Z');

it('a row keeps the verdict of each probe, and what was found by the probe that decided', () => {
  const { state, row } = rowResultOf(
    {
      'graph.readWrite': { verdict: 'passed', checkedAt: AT, requestId: 'r-1' },
      'graph.send': {
        verdict: 'failed',
        cause: 'address_is_alias',
        detail: 'An alias of jane@contoso.example.',
        microsoftCode: 'ErrorInvalidUser',
        requestId: 'r-2',
        checkedAt: AT,
      },
      imap: { verdict: 'skipped', checkedAt: AT },
    },
    'user',
  );
  expect(state).toBe('failed');
  expect(row).toMatchObject({
    verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'failed', imap: 'skipped' },
    cause: 'address_is_alias',
    detail: 'An alias of jane@contoso.example.',
    microsoftCode: 'ErrorInvalidUser',
    requestId: 'r-2',
    checkedAt: AT,
  });
});

it('a row that passes clears what earlier tries have left', () => {
  const { row } = rowResultOf({ 'graph.send': { verdict: 'passed', checkedAt: AT } }, 'user');
  expect(row).toMatchObject({ cause: null, detail: null, microsoftCode: null, verdicts: { 'graph.send': 'passed' } });
});

it('a mailbox in use knows when it was last checked, also if that left it as it was', () => {
  const { mailbox } = rowResultOf({ 'graph.send': { verdict: 'inconclusive', checkedAt: AT } }, 'user', {
    keepsStatus: true,
  });
  expect(mailbox).not.toHaveProperty('status');
  expect(mailbox).toMatchObject({ lastCheck: { checkedAt: AT, verdict: 'inconclusive' } });
});
