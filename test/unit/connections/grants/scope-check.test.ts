import { describe, expect, it } from 'vitest';
import {
  applyScopeCheck,
  currentScopeCheck,
  mayChangeUntil,
  type ScopeCheck,
  scopePermissions,
} from '../../../../shared/connections/grants/scope-check.ts';
import { aConnection, RECORDS_NOW } from '../../../support/records.ts';

const later = (hours: number) => new Date(RECORDS_NOW.getTime() + hours * 3_600_000);
const check = (change: Partial<ScopeCheck> = {}): ScopeCheck => ({
  ...{ checkedAt: later(1), verdict: 'scoped', offLimits: [], roles: [] },
  ...change,
});

describe('a result', () => {
  it('is kept, unless a newer one is', () => {
    const connection = aConnection();
    const kept = applyScopeCheck(connection, connection, check());
    expect(kept?.lastScopeCheck).toEqual(check());
    expect(applyScopeCheck(kept ?? connection, connection, check({ checkedAt: later(0.5) }))).toBeUndefined();
  });

  it('of another app, or for a connection that was disconnected, is not kept', () => {
    const connection = aConnection();
    expect(applyScopeCheck({ ...connection, clientId: 'another' }, connection, check())).toBeUndefined();
    expect(applyScopeCheck({ ...connection, status: 'disconnected' }, connection, check())).toBeUndefined();
  });

  // A text in a table has at most 32,768 characters.
  it('fits its column, whatever Microsoft has sent', () => {
    const longest = 'x'.repeat(200);
    const mailbox = (n: number) => ({
      address: `${n}`.padEnd(320, 'x'),
      findings: scopePermissions.map((permission) => ({
        permission,
        answer: 'inconclusive' as const,
        cause: 'mailbox_unlicensed_or_on_premises' as const,
        microsoftCode: longest,
        requestId: longest,
      })),
    });
    const result = check({
      verdict: 'inconclusive',
      offLimits: Array.from({ length: 20 }, (_, n) => mailbox(n)),
      inScope: mailbox(20),
      roles: Array.from({ length: 50 }, () => 'x'.repeat(100)),
      assignments: Array.from({ length: 20 }, () => ({
        ...{ role: 'x'.repeat(100), permissions: [...scopePermissions], isScoped: true },
      })),
    });
    const connection = aConnection();
    const kept = applyScopeCheck(connection, connection, result)?.lastScopeCheck;
    expect(JSON.stringify(kept).length).toBeLessThan(32_768);
    expect(kept?.offLimits[0]?.findings[0]).toMatchObject({ answer: 'inconclusive', cause: expect.any(String) });
  });
});

it('a result from before a change of the grants is out of date', () => {
  const lastScopeCheck = check();
  expect(currentScopeCheck(aConnection({ lastScopeCheck }))).toEqual(lastScopeCheck);
  expect(currentScopeCheck(aConnection({ lastScopeCheck, grantsChangedAt: later(2) }))).toBeUndefined();
});

it('answers may change for two hours after a change of the grants', () => {
  expect(mayChangeUntil(aConnection(), later(1))).toEqual(later(2));
  expect(mayChangeUntil(aConnection(), later(2))).toBeUndefined();
});
