import type { CauseCode } from '../../causes/causes.ts';
import { explainDenial } from '../../causes/denial.ts';
import type { ScopeCheck, ScopedMailbox, ScopeFinding, ScopePermission } from '../../connections/grants/scope-check.ts';

interface Seen extends Pick<ScopeCheck, 'offLimits' | 'inScope' | 'roles' | 'assignments'> {
  /** Whether grants have changed so recently that Microsoft may not answer by them yet. */
  isFresh: boolean;
}

/**
 * The verdict about a scope: only by what Microsoft let through and what it refused.
 *
 * One right that is allowed off limits is enough for a verdict. That all are refused proves a scope only if the same app
 * gets in somewhere else: an app without any permission is refused everywhere.
 *
 * That a grant in Entra hides a scope of the same permission can only be read from the app’s roles in Exchange.
 */
export function judgeScope(seen: Seen): Pick<ScopeCheck, 'verdict' | 'cause'> {
  const { offLimits, inScope } = seen;
  const findings = offLimits.flatMap((mailbox) => mailbox.findings);
  const permissionsWith = (answer: ScopeFinding['answer']) =>
    new Set(findings.filter((finding) => finding.answer === answer).map(({ permission }) => permission));
  const allowed = permissionsWith('allowed');
  const refused = permissionsWith('refused');
  if (allowed.size > 0) {
    // IMAP and SMTP access can be given mailbox by mailbox, so it shows neither a tenant-wide grant nor a scope.
    const isMailboxByMailbox = ![...allowed].some(isOfGraph);
    if (isMailboxByMailbox || [...allowed].some((permission) => refused.has(permission))) {
      return { verdict: 'scopeTooWide' };
    }
    const isScopeSeen = [...refused].some((permission) => isOfGraph(permission) && isAllowed(inScope, permission));
    if (isScopeSeen) return { verdict: 'scopePresentButUnscopedGrant' };
    return { verdict: byAssignments(seen, [...allowed]) ?? 'tenantWide' };
  }
  const unknown = inconclusiveCause(findings);
  if (unknown) return { verdict: 'inconclusive', cause: unknown };
  if (!inScope) return { verdict: 'inconclusive' };
  if (inScope.findings.some(({ answer }) => answer === 'allowed')) return { verdict: 'scoped' };
  return { verdict: 'inconclusive', cause: inconclusiveCause(inScope.findings) ?? refusedEverywhere(seen, inScope) };
}

/** What the app’s roles show of a scope that nothing else shows, if they can be read. */
function byAssignments(
  { assignments = [], roles }: Seen,
  allowed: readonly ScopePermission[],
): ScopeCheck['verdict'] | undefined {
  const has = (permission: ScopePermission, isScoped: boolean) =>
    assignments.some((one) => one.isScoped === isScoped && one.permissions.includes(permission));
  if (!assignments.some(({ isScoped, permissions }) => isScoped && permissions.some(isOfGraph))) return undefined;
  const isByScopes = (permission: ScopePermission) =>
    has(permission, true) && !has(permission, false) && !isShown(permission, roles);
  return allowed.every(isByScopes) ? 'scopeTooWide' : 'scopePresentButUnscopedGrant';
}

/** Why the app is refused where it should get in, as far as its token explains it. */
function refusedEverywhere({ roles, isFresh }: Seen, { findings }: ScopedMailbox): CauseCode {
  if (isFresh) return 'propagating';
  const byPolicy = findings.some((finding) => finding.byPolicy);
  const isGranted = findings.some(({ permission }) => isShown(permission, roles));
  const token = isGranted ? 'grants' : roles.length > 0 ? 'lacks' : 'empty';
  return explainDenial({ byPolicy, token, mailboxOpened: false }, token === 'grants');
}

const isOfGraph = (permission: ScopePermission) => permission.startsWith('Mail.');

const READING: readonly string[] = ['Mail.ReadBasic.All', 'Mail.ReadBasic', 'Mail.Read', 'Mail.ReadWrite'];

/** The grants by Entra that give this right. They are for the whole tenant, and the token shows them. */
export function shownGrants(permission: ScopePermission, roles: readonly string[]): string[] {
  return roles.filter((role) => (permission === 'Mail.Read' ? READING.includes(role) : role === permission));
}

const isShown = (permission: ScopePermission, roles: readonly string[]) => shownGrants(permission, roles).length > 0;

export function isAllowed(mailbox: ScopedMailbox | undefined, permission: ScopePermission): boolean {
  return mailbox?.findings.some((one) => one.permission === permission && one.answer === 'allowed') ?? false;
}

function inconclusiveCause(findings: readonly ScopeFinding[]): CauseCode | undefined {
  return findings.find(({ answer }) => answer === 'inconclusive')?.cause;
}
