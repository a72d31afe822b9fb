import type { CauseCode } from '../../causes/causes.ts';
import type { Connection } from '../../connections/connection.ts';
import { currentScopeCheck } from '../../connections/grants/scope-check.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';

/**
 * What is known about a mailbox and the scope of the app:
 *
 * - `inScope`: the app may use it, and the last scope check has shown a scope.
 * - `outOfScope`: Microsoft refuses the app at this mailbox.
 * - `tenantWide`: the app may use it, and the last scope check has shown a right that no scope limits.
 * - `unknown`: there is no scope check with a verdict since the grants changed, or no check of this mailbox that tells.
 */
export const mailboxScopes = ['inScope', 'outOfScope', 'tenantWide', 'unknown'] as const;
export type MailboxScope = (typeof mailboxScopes)[number];

const OUT_OF_SCOPE: ReadonlySet<CauseCode> = new Set(['mailbox_out_of_scope', 'access_policy_blocked']);

/** The newer of what the checks of the mailbox and the last scope check have seen there. */
export function scopeOf(mailbox: Pick<Mailbox, 'address' | 'checks'>, connection: Connection): MailboxScope {
  const last = currentScopeCheck(connection);
  const asked = last && [...last.offLimits, ...(last.inScope ? [last.inScope] : [])];
  const findings = asked?.find(({ address }) => address === mailbox.address)?.findings ?? [];
  const own = Object.values(mailbox.checks).filter(
    ({ checkedAt }) => !last || checkedAt > last.checkedAt || findings.length === 0,
  );

  const isPassed = own.some(({ verdict }) => verdict === 'passed');
  const isRefused = own.some(({ cause }) => cause !== undefined && OUT_OF_SCOPE.has(cause));
  const isTold = isPassed || isRefused;
  const isAllowed = isTold ? isPassed : findings.some(({ answer }) => answer === 'allowed');
  const isOut = isTold ? !isPassed : findings.length > 0 && findings.every(({ answer }) => answer === 'refused');
  if (isOut) return 'outOfScope';
  if (!isAllowed || !last || last.verdict === 'inconclusive') return 'unknown';
  return last.verdict === 'scoped' || last.verdict === 'scopeTooWide' ? 'inScope' : 'tenantWide';
}
