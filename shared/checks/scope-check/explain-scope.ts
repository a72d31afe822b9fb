import type { CauseCode } from '../../causes/causes.ts';
import { explain } from '../../causes/explain.ts';
import type { Probe } from '../../causes/verdict.ts';
import type { ScopeCheck, ScopePermission } from '../../connections/grants/scope-check.ts';
import { shownGrants } from './judge-scope.ts';

/** What people read about a verdict. */
export interface ScopeText {
  detail: string;
  fix: string;
  link: string;
}

const DELAY =
  'A change by RBAC for Applications takes 30 minutes to 2 hours to apply, an application access policy sometimes more than an hour.';
const revoke = (grants: readonly string[]) =>
  `In the Entra admin center, open Enterprise applications > the app > Permissions, and revoke the admin consent for ${listed(grants)}. Give the app these permissions by roles of RBAC for Applications with a scope instead.`;
const NARROW =
  'Run Get-ManagementRoleAssignment -RoleAssignee <service principal>, and give each assignment a scope without these mailboxes. An application access policy does not limit roles.';

/** Explains the verdict: only what was seen decides what is claimed, and the token explains why. */
export function explainScope(check: ScopeCheck): ScopeText {
  const { verdict, cause, inScope } = check;
  const open = check.offLimits.filter(({ findings }) => findings.some(({ answer }) => answer === 'allowed'));
  const where = listed(open.map(({ address }) => address));
  const permissions = allowedAt(check);
  const names = listed(permissions);
  switch (verdict) {
    case 'scoped':
      return {
        detail: `Microsoft refuses the app at every address that is off limits, and lets it in at ${inScope?.address}.`,
        fix: `Check again after each change of the grants. ${DELAY}`,
        link: 'docs/scope.md#scoped',
      };
    case 'scopeTooWide':
      return {
        detail: `Addresses that are off limits let the app in: ${where} (${names}). The app does not get in everywhere, or only by access that is limited to some mailboxes.`,
        fix: `Take these mailboxes out of the group that the management scope names, or add them to an application access policy that denies access. For IMAP and SMTP, run Remove-MailboxPermission -Identity <address> -User <service principal> -AccessRights FullAccess. Then check again. ${DELAY}`,
        link: 'docs/scope.md#scopetoowide',
      };
    case 'scopePresentButUnscopedGrant':
      return {
        detail: `A scope is present: ${scopeSeen(check)}. But Microsoft lets it in at ${where} with ${names}. ${explainGrant(permissions, check)}`,
        fix: `${fixGrant(permissions, check.roles)} Then check again. ${DELAY}`,
        link: 'docs/scope.md#scopepresentbutunscopedgrant',
      };
    case 'tenantWide':
      return {
        detail: `Addresses that are off limits let the app in: ${where} (${names}). ${explainGrant(permissions, check)}${explainUnseen(permissions, check)}`,
        fix: `${fixGrant(permissions, check.roles)}${fixUnseen(permissions, check)} Then check again. ${DELAY}`,
        link: 'docs/scope.md#tenantwide',
      };
    case 'inconclusive':
      if (cause) return explainCause(check, cause);
      return {
        detail:
          'Microsoft refuses the app at every address that is off limits. No mailbox is known that it may use, and an app without any permission is refused everywhere.',
        fix: 'Name a mailbox that the app may use as `inScope`, or set a default mailbox. Then check again.',
        link: 'docs/scope.md#inconclusive',
      };
  }
}

const probeOf: Readonly<Record<ScopePermission, Probe>> = {
  'Mail.Read': 'graph.readWrite',
  'Mail.ReadWrite': 'graph.readWrite',
  'Mail.Send': 'graph.send',
  'IMAP.AccessAsApp': 'imap',
  'SMTP.SendAsApp': 'smtp',
};

/** The text of a cause, and where it was seen. */
function explainCause({ offLimits, inScope }: ScopeCheck, cause: CauseCode): ScopeText {
  const asked = inScope ? [...offLimits, inScope] : offLimits;
  const probes = [...new Set(asked.flatMap(({ findings }) => findings.map(({ permission }) => probeOf[permission])))];
  const { sentence, fix, link } = explain(cause, { probes });
  // A scope check does not check again on its own.
  const toDo = cause === 'propagating' ? `Wait two hours, then check again. ${DELAY}` : fix;
  const where = asked.filter(({ findings }) => findings.some((finding) => finding.cause === cause));
  if (where.length > 0)
    return { detail: `${listed(where.map(({ address }) => address))}: ${sentence}`, fix: toDo, link };
  const everywhere = inScope ? `Microsoft refuses the app at ${inScope.address} as well. ` : '';
  return { detail: `${everywhere}${sentence}`, fix: toDo, link };
}

/** How the scope shows: by a role that has one, or by rights that are refused here and work in scope. */
function scopeSeen({ assignments = [] }: ScopeCheck): string {
  const scoped = assignments.find(({ isScoped }) => isScoped);
  if (scoped) return `the role “${scoped.role}” is assigned with one`;
  return 'the app is refused some rights at addresses that are off limits, and has them in scope';
}

function allowedAt({ offLimits }: ScopeCheck): ScopePermission[] {
  const allowed = offLimits.flatMap(({ findings }) => findings.filter(({ answer }) => answer === 'allowed'));
  return [...new Set(allowed.map(({ permission }) => permission))];
}

function explainGrant(permissions: readonly ScopePermission[], { roles, assignments = [] }: ScopeCheck): string {
  const { shown, hidden } = byToken(permissions, roles);
  const unscoped = assignments.filter((one) => !one.isScoped && one.permissions.some((it) => permissions.includes(it)));
  const unexplained = hidden.filter((permission) => !unscoped.some((one) => one.permissions.includes(permission)));
  return [
    ...(shown.length > 0
      ? [
          `The token shows ${listed(shown)}: granted in Entra, for the whole tenant. A scope of RBAC for Applications does not limit such a grant.`,
        ]
      : []),
    ...unscoped.map(({ role }) => `The role “${role}” is assigned without a scope.`),
    ...(unexplained.length > 0
      ? [
          `The token does not show ${listed(unexplained)}. A role of RBAC for Applications may give it, without a scope or with one that includes these mailboxes.`,
        ]
      : []),
  ].join(' ');
}

/** Whether grants in Entra give all that is allowed, so that a scope behind them would not show. */
const mayHideScope = (permissions: readonly ScopePermission[], { roles, assignments }: ScopeCheck) =>
  assignments === undefined && byToken(permissions, roles).hidden.length === 0;

/** What is known of a scope that does not show. */
function explainUnseen(permissions: readonly ScopePermission[], check: ScopeCheck): string {
  if (mayHideScope(permissions, check)) {
    return ' If the app has roles with a scope as well, they do not show here, because these grants defeat them.';
  }
  return check.assignments ? ' The app has no role with a scope.' : '';
}

function fixUnseen(permissions: readonly ScopePermission[], check: ScopeCheck): string {
  if (!mayHideScope(permissions, check)) return '';
  return ' If it has such roles already, revoking is all there is to do. To see them in this check, grant the app RoleManagement.Read.Exchange.';
}

function fixGrant(permissions: readonly ScopePermission[], roles: readonly string[]): string {
  const { shown, hidden } = byToken(permissions, roles);
  return [...(shown.length > 0 ? [revoke(shown)] : []), ...(hidden.length > 0 ? [NARROW] : [])].join(' ');
}

/** The grants that the token shows for these permissions, and the permissions that it shows none for. */
function byToken(permissions: readonly ScopePermission[], roles: readonly string[]) {
  return {
    shown: [...new Set(permissions.flatMap((permission) => shownGrants(permission, roles)))],
    hidden: permissions.filter((permission) => shownGrants(permission, roles).length === 0),
  };
}

const listed = (names: readonly string[]) => names.join(', ');
