import type { CauseCode } from './causes.ts';
import type { Refusal } from './refusal.ts';
import type { Probe } from './verdict.ts';
import { saysBlockedByPolicy } from './wording.ts';

/** The application permission that a probe proves, by the name that a token's `roles` carries it under. */
export const permissionOf: Readonly<Record<Probe, string>> = {
  'graph.readWrite': 'Mail.ReadWrite',
  'graph.send': 'Mail.Send',
  imap: 'IMAP.AccessAsApp',
  smtp: 'SMTP.SendAsApp',
};

export interface Denial {
  refusal: Refusal;
  probe: Probe;
  /** What the token shows as granted for the whole tenant. Grants by RBAC for Applications do not show in it. */
  roles: readonly string[];
  /** Whether other mailboxes of the connection pass this very probe; absent while nobody knows. */
  othersPassed?: boolean;
  /** Whether the same check got into the mailbox in another way: then there is one, and it is in use. */
  mailboxOpened?: boolean;
}

/**
 * Explains a 403 as far as what is known allows. The verdict is `failed` whatever it says.
 *
 * Microsoft has one answer for a missing grant, a mailbox out of scope and an account without a usable mailbox. Grants
 * by Entra hold for the whole tenant and grants by RBAC for Applications come on top, so: with the grant in the token
 * it is not the consent; without it, others that pass show that RBAC grants exist and this mailbox lies outside. Called
 * again once more is known, it may answer differently.
 */
export function explainDenial({ refusal, probe, roles, othersPassed, mailboxOpened }: Denial): CauseCode {
  if (saysBlockedByPolicy(refusal) || refusal.code.toLowerCase() === 'extensionerror') return 'access_policy_blocked';
  if (roles.includes(permissionOf[probe])) {
    return othersPassed || mailboxOpened ? 'mailbox_out_of_scope' : 'mailbox_unlicensed_or_on_premises';
  }
  if (othersPassed) return 'mailbox_out_of_scope';
  return roles.length === 0 ? 'consent_missing' : 'permission_missing';
}
