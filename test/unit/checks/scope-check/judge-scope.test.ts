import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeScope } from '../../../../shared/checks/scope-check/judge-scope.ts';
import {
  type RoleAssignment,
  type ScopeAnswer,
  type ScopedMailbox,
  type ScopePermission,
  scopeAnswers,
  scopePermissions,
} from '../../../../shared/connections/grants/scope-check.ts';

type Answers = Partial<Record<ScopePermission, ScopeAnswer>>;

const mailbox = (answers: Answers, address = 'legal@contoso.com'): ScopedMailbox => ({
  address,
  findings: Object.entries(answers).map(([permission, answer]) => ({
    permission: permission as ScopePermission,
    answer,
    ...(answer === 'inconclusive' && { cause: 'throttled' as const }),
  })),
});
const all = (answer: ScopeAnswer): Answers => ({ 'Mail.Read': answer, 'Mail.ReadWrite': answer, 'Mail.Send': answer });
const inScope = mailbox(all('allowed'), 'sales@contoso.com');
const judge = (offLimits: Answers[], more: { assignments?: RoleAssignment[]; roles?: string[] } = {}) =>
  judgeScope({ offLimits: offLimits.map((answers) => mailbox(answers)), inScope, roles: [], isFresh: false, ...more })
    .verdict;

it('one right that is not known leaves it open, unless another one is allowed', () => {
  expect(judge([{ ...all('refused'), 'Mail.Send': 'inconclusive' }])).toBe('inconclusive');
  expect(judge([all('refused'), all('inconclusive')])).toBe('inconclusive');
  expect(judge([{ ...all('allowed'), 'Mail.Send': 'inconclusive' }])).toBe('tenantWide');
});

it('IMAP and SMTP access is given mailbox by mailbox, so it shows neither a tenant-wide grant nor a scope', () => {
  expect(judge([{ ...all('refused'), 'IMAP.AccessAsApp': 'allowed' }])).toBe('scopeTooWide');
  const { verdict } = judgeScope({
    offLimits: [mailbox({ ...all('allowed'), 'IMAP.AccessAsApp': 'refused' })],
    inScope: mailbox({ ...all('allowed'), 'IMAP.AccessAsApp': 'allowed' }),
    roles: [],
    isFresh: false,
  });
  expect(verdict).toBe('tenantWide');
});

describe('the roles of RBAC for Applications, where the app may read them', () => {
  const scoped = {
    role: 'Application Mail Full Access',
    permissions: [...scopePermissions].slice(0, 3),
    isScoped: true,
  };
  const unscoped = { ...scoped, isScoped: false };

  it('show a scope that a grant in Entra defeats', () => {
    const roles = ['Mail.ReadWrite', 'Mail.Send'];
    expect(judge([all('allowed')], { assignments: [scoped], roles })).toBe('scopePresentButUnscopedGrant');
    expect(judge([all('allowed')], { assignments: [], roles })).toBe('tenantWide');
  });

  it('show a scope that a role without one defeats, and a scope that includes the address', () => {
    expect(judge([all('allowed')], { assignments: [scoped, unscoped] })).toBe('scopePresentButUnscopedGrant');
    expect(judge([all('allowed')], { assignments: [unscoped] })).toBe('tenantWide');
    expect(judge([all('allowed')], { assignments: [scoped] })).toBe('scopeTooWide');
  });
});

describe('whatever was seen', () => {
  const answers = fc.record(
    Object.fromEntries(scopePermissions.map((permission) => [permission, fc.constantFrom(...scopeAnswers)])),
  ) as fc.Arbitrary<Answers>;
  const seen = fc.record({
    offLimits: fc.array(answers, { minLength: 1, maxLength: 3 }),
    control: fc.option(answers, { nil: undefined }),
    roles: fc.subarray(['Mail.Read', 'Mail.ReadWrite', 'Mail.Send', 'User.Read.All']),
    isFresh: fc.boolean(),
  });

  it('scoped means that everything is refused and the app gets in elsewhere; the token changes nothing about that', () => {
    fc.assert(
      fc.property(seen, ({ offLimits, control, roles, isFresh }) => {
        const input = {
          offLimits: offLimits.map((one) => mailbox(one)),
          ...(control && { inScope: mailbox(control, 'sales@contoso.com') }),
          isFresh,
        };
        const { verdict } = judgeScope({ ...input, roles });
        const named = offLimits.flatMap((one) => Object.values(one));
        const isScoped =
          named.every((answer) => answer === 'refused') &&
          control !== undefined &&
          Object.values(control).includes('allowed');
        expect(verdict === 'scoped').toBe(isScoped);
        expect(['scoped', 'inconclusive'].includes(verdict)).toBe(!named.includes('allowed'));
        expect(judgeScope({ ...input, roles: [] }).verdict).toBe(verdict);
      }),
    );
  });
});
