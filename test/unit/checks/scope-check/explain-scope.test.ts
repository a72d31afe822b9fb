import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { explainScope } from '../../../../shared/checks/scope-check/explain-scope.ts';
import { type ScopeCheck, scopeVerdicts } from '../../../../shared/connections/scope-check.ts';
import { RECORDS_NOW } from '../../../support/records.ts';

const check = (change: Partial<ScopeCheck>): ScopeCheck => ({
  checkedAt: RECORDS_NOW,
  verdict: 'tenantWide',
  offLimits: [
    { address: 'legal@contoso.com', findings: [{ permission: 'Mail.Send', answer: 'allowed' }] },
    { address: 'ceo@contoso.com', findings: [{ permission: 'Mail.Send', answer: 'refused' }] },
  ],
  inScope: { address: 'sales@contoso.com', findings: [{ permission: 'Mail.Send', answer: 'allowed' }] },
  roles: [],
  ...change,
});

it.each(scopeVerdicts)('%s links to its section', (verdict) => {
  const { link, fix } = explainScope(check({ verdict }));
  const [file = '', anchor] = link.split('#');
  expect(existsSync(file)).toBe(true);
  expect(readFileSync(file, 'utf8').toLowerCase()).toContain(`\n### ${anchor}\n`);
  expect(fix).not.toBe('');
});

it('names only the addresses and rights that are allowed', () => {
  const { detail } = explainScope(check({}));
  expect(detail).toContain('legal@contoso.com with Mail.Send');
  expect(detail).not.toContain('ceo@contoso.com');
});

it('says which grant to revoke if the token shows it, and looks for a role if not', () => {
  expect(explainScope(check({ roles: ['Mail.Send'] })).fix).toContain('revoke the admin consent');
  const { detail, fix } = explainScope(check({}));
  expect(detail).toContain('The token does not show Mail.Send');
  expect(fix).not.toContain('revoke');
  expect(fix).toContain('Get-ManagementRoleAssignment');
});

it('names a role without a scope, if the app may read its roles', () => {
  const role = { role: 'Application Mail.Send', permissions: ['Mail.Send' as const], isScoped: false };
  expect(explainScope(check({ assignments: [role] })).detail).toContain(
    'The role “Application Mail.Send” is assigned without a scope.',
  );
});

it('an inconclusive check has the text of its cause', () => {
  expect(explainScope(check({ verdict: 'inconclusive', cause: 'throttled' })).detail).toContain('throttled');
});
