import type { CauseCode } from './causes.ts';
import type { Refusal } from './refusal.ts';
import type { DenialHints, Findings, Probe, ProbeFinding } from './verdict.ts';
import { saysBlockedByPolicy } from './wording.ts';

/** The application permission that a probe proves, by the name that a token's `roles` carries it under. */
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
    byPolicy: saysBlockedByPolicy(refusal) || refusal.code.toLowerCase() === 'extensionerror',
    token: roles.includes(permissionOf[probe]) ? 'grants' : roles.length > 0 ? 'lacks' : 'empty',
    mailboxOpened: mailboxOpened ?? false,
  };
}

/**
 * Explains a 403 as far as what is known allows. The verdict is `failed` whatever it says.
 *
 * Microsoft has one answer for a missing grant, a mailbox out of scope and an account without a usable mailbox. Grants
 * by Entra hold for the whole tenant and grants by RBAC for Applications come on top, so: with the grant in the token
 * it is not the consent; without it, others that pass show that RBAC grants exist and this mailbox lies outside.
 *
 * @param othersPassed whether other mailboxes of the connection pass this very probe; absent while nobody knows
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

/** Whether a finding is a plain denial that nothing but its explanation stands behind; not one that the directory explained. */
export function isDenial(finding: ProbeFinding): finding is ProbeFinding & { denial: DenialHints } {
  return finding.denial !== undefined && finding.cause !== undefined && EXPLANATIONS.has(finding.cause);
}

const PROTOCOL_DENIALS: ReadonlySet<CauseCode> = new Set(['imap_access_missing', 'smtp_access_missing']);

/** Whether grants that were made a while ago, and are not known everywhere yet, would be answered like this. */
export function fitsPropagation(finding: ProbeFinding): boolean {
  return isDenial(finding) || (finding.cause !== undefined && PROTOCOL_DENIALS.has(finding.cause));
}

/** Explains denials once more when another probe got into the mailbox, be it in a later attempt: then there is one. */
export function knowingWhatPassed(findings: Findings): Findings {
  if (!Object.values(findings).some(({ verdict }) => verdict === 'passed')) return findings;
  const explain = (finding: ProbeFinding): ProbeFinding => {
    if (!isDenial(finding) || finding.denial.mailboxOpened) return finding;
    const denial = { ...finding.denial, mailboxOpened: true };
    return { ...finding, denial, cause: explainDenial(denial) };
  };
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, explain(finding)]));
}
