import type { CauseCode } from './causes.ts';
import type { Refusal } from './refusal.ts';
import type { DenialHints, Findings, Probe, ProbeFinding } from './verdict.ts';
import { isBlockedByPolicy } from './wording.ts';

/** The application permission that a probe needs, as it is named in the `roles` of a token. */
export const permissionOf: Readonly<Record<Probe, string>> = {
  'graph.readWrite': 'Mail.ReadWrite',
  'graph.send': 'Mail.Send',
  imap: 'IMAP.AccessAsApp',
  smtp: 'SMTP.SendAsApp',
};

export function hintsOf(
  refusal: Refusal,
  probe: Probe,
  roles: readonly string[],
  mailboxOpened: boolean | undefined,
): DenialHints {
  return {
    byPolicy: isBlockedByPolicy(refusal) || refusal.code.toLowerCase() === 'extensionerror',
    token: roles.includes(permissionOf[probe]) ? 'grants' : roles.length > 0 ? 'lacks' : 'empty',
    mailboxOpened: mailboxOpened ?? false,
  };
}

/**
 * Explains a 403 as well as the known facts allow. The verdict is `failed` in every case.
 *
 * Microsoft gives the same answer for a missing grant, for a mailbox out of scope, and for an account without a usable
 * mailbox. Grants by Entra apply to the whole tenant and appear in the token. Grants by RBAC for Applications come on
 * top and do not appear there. It follows:
 *
 * - If the token has the permission, consent is not the problem.
 * - If the token lacks it but other mailboxes pass, they pass by RBAC, and this mailbox is out of scope.
 *
 * @param othersPassed whether other mailboxes of the connection pass the same probe; absent while this is unknown
 */
export function explainDenial(hints: DenialHints, othersPassed?: boolean): CauseCode {
  if (hints.byPolicy) return 'access_policy_blocked';
  if (hints.token === 'grants') {
    return othersPassed || hints.mailboxOpened ? 'mailbox_out_of_scope' : 'mailbox_unlicensed_or_on_premises';
  }
  if (othersPassed) return 'mailbox_out_of_scope';
  return hints.token === 'empty' ? 'consent_missing' : 'permission_missing';
}

const EXPLANATIONS: ReadonlySet<CauseCode> = new Set([
  'access_policy_blocked',
  'mailbox_out_of_scope',
  'mailbox_unlicensed_or_on_premises',
  'permission_missing',
  'consent_missing',
]);

/** Whether a cause comes from `explainDenial`, so that it may be corrected when more is known. */
export function isExplanation(cause: CauseCode): boolean {
  return EXPLANATIONS.has(cause);
}

/**
 * Whether a finding is a denial whose cause came from `explainDenial`. Once the directory has explained it, it is not.
 */
export function isDenial(finding: ProbeFinding): finding is ProbeFinding & { denial: DenialHints } {
  return finding.denial !== undefined && finding.cause !== undefined && EXPLANATIONS.has(finding.cause);
}

const PROTOCOL_DENIALS: ReadonlySet<CauseCode> = new Set(['imap_access_missing', 'smtp_access_missing']);

/** Whether Microsoft also answers like this while a recent grant is still propagating. */
export function canBePropagation(finding: ProbeFinding): boolean {
  return isDenial(finding) || (finding.cause !== undefined && PROTOCOL_DENIALS.has(finding.cause));
}

/** Explains denials again if another probe has passed, in this try or a later one: then the mailbox exists. */
export function explainByPassedProbes(findings: Findings): Findings {
  if (!Object.values(findings).some(({ verdict }) => verdict === 'passed')) return findings;
  const explain = (finding: ProbeFinding): ProbeFinding => {
    if (!isDenial(finding) || finding.denial.mailboxOpened) return finding;
    const denial = { ...finding.denial, mailboxOpened: true };
    return { ...finding, denial, cause: explainDenial(denial) };
  };
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, explain(finding)]));
}
