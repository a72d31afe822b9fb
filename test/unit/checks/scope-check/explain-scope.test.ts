import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { explainScope } from '../../../../shared/checks/scope-check/explain-scope.ts';
import { type ScopeCheck, scopeVerdicts } from '../../../../shared/connections/grants/scope-check.ts';
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
  expect(detail).toContain('off limits let the app in: legal@contoso.com (Mail.Send).');
  expect(detail).not.toContain('ceo@contoso.com');
});

it('says which grant to revoke if the token shows it, and looks for a role if not', () => {
  expect(explainScope(check({ roles: ['Mail.Send'] })).fix).toContain('revoke the admin consent for Mail.Send.');
  const { detail, fix } = explainScope(check({}));
  expect(detail).toContain('The token does not show Mail.Send');
  expect(fix).not.toContain('revoke');
  expect(fix).toContain('Get-ManagementRoleAssignment');
});

it('names the grant that the token shows, which may give more than one right', () => {
  const findings = (['Mail.Read', 'Mail.ReadWrite'] as const).map((permission) => ({
    permission,
    answer: 'allowed' as const,
  }));
  const offLimits = [{ address: 'ceo@contoso.com', findings }];
  expect(explainScope(check({ offLimits, roles: ['Mail.ReadWrite', 'User.Read.All'] })).detail).toContain(
    'The token shows Mail.ReadWrite: granted in Entra',
  );
});

it('names a role without a scope, if the app may read its roles', () => {
  const role = { role: 'Application Mail.Send', permissions: ['Mail.Send' as const], isScoped: false };
  expect(explainScope(check({ assignments: [role] })).detail).toContain(
    'The role “Application Mail.Send” is assigned without a scope.',
  );
});

it('says what it knows of a scope that a grant in Entra would hide', () => {
  const mayBeHidden = explainScope(check({ roles: ['Mail.Send'] }));
  expect(mayBeHidden.detail).toContain('If the app has roles with a scope as well, they do not show here');
  expect(mayBeHidden.fix).toContain('To see them in this check, grant the app RoleManagement.Read.Exchange.');
  // A right that the token does not show comes from a role.
  const byRole = explainScope(check({ roles: [] }));
  expect(`${byRole.detail} ${byRole.fix}`).not.toMatch(/do not show here|RoleManagement/);
  // The app may read its roles, and none of them has a scope.
  const known = explainScope(check({ roles: ['Mail.Send'], assignments: [] }));
  expect(known.detail).toContain('The app has no role with a scope.');
  expect(`${known.detail} ${known.fix}`).not.toMatch(/do not show here|RoleManagement/);
});

it('an inconclusive check has the text of its cause, and says where it was seen', () => {
  const finding = {
    permission: 'Mail.Send' as const,
    answer: 'inconclusive' as const,
    cause: 'mailbox_not_found' as const,
  };
  const offLimits = [{ address: 'typo@contoso.com', findings: [finding] }];
  expect(explainScope(check({ verdict: 'inconclusive', cause: 'mailbox_not_found', offLimits })).detail).toBe(
    'typo@contoso.com: Microsoft found no mailbox with this address in the tenant.',
  );
});

it('an app that is refused everywhere is told which permissions are missing', () => {
  const refused = { permission: 'Mail.Send' as const, answer: 'refused' as const };
  const inScope = { address: 'sales@contoso.com', findings: [refused] };
  const offLimits = [{ address: 'ceo@contoso.com', findings: [refused] }];
  const told = explainScope(check({ verdict: 'inconclusive', cause: 'permission_missing', offLimits, inScope }));
  expect(told.detail).toContain('Microsoft refuses the app at sales@contoso.com as well. ');
  expect(told.detail).toContain('Mail.Send');
  expect(told.fix).not.toContain('Mail.ReadWrite');
});
