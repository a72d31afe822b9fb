import { type CauseCode, causes } from '../causes/causes.ts';
import type { Findings, ProbeFinding } from '../causes/verdict.ts';
import type { Answer } from './graph-answer.ts';
import type { Recipient } from './recipients.ts';

/** Causes that say no more than that there is no usable mailbox: the directory may know why. */
const VAGUE: ReadonlySet<CauseCode> = new Set(['mailbox_not_found', 'mailbox_unlicensed_or_on_premises']);

export function isVague(findings: Findings): boolean {
  return Object.values(findings).some(({ cause }) => cause !== undefined && VAGUE.has(cause));
}

/**
 * Says what an address without a usable mailbox really is, as far as the directory tells. Only the explanation changes:
 * what failed stays failed.
 */
export function explainAddress(findings: Findings, address: string, recipient: Answer<Recipient>): Findings {
  const explain = (finding: ProbeFinding): ProbeFinding => {
    if (finding.cause === undefined || !VAGUE.has(finding.cause)) return finding;
    if (recipient.kind !== 'accepted') {
      return {
        ...finding,
        detail: `${causes[finding.cause].sentence} The directory could not be asked what the address is: grant User.Read.All to the app for a closer answer.`,
      };
    }
    const known = causeOf(recipient.value, address);
    return known ? { ...finding, ...known } : finding;
  };
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, explain(finding)]));
}

/**
 * An address that is only an alias has no mailbox of its own, whatever Exchange lets through by it: looked after under
 * two names, one mailbox would take two slots and get twice its daily limit.
 */
export function judgeAlias(findings: Findings, address: string, owner: Answer<Recipient> | undefined): Findings {
  if (owner?.kind !== 'accepted' || owner.value.kind !== 'user') return findings;
  const known = causeOf(owner.value, address);
  if (!known) return findings;
  const judge = (finding: ProbeFinding): ProbeFinding =>
    finding.verdict === 'skipped' ? finding : { ...finding, ...known, verdict: 'failed' };
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, judge(finding)]));
}

function causeOf(recipient: Recipient, address: string): { cause: CauseCode; detail?: string } | undefined {
  switch (recipient.kind) {
    case 'group':
      return { cause: 'address_is_group' };
    case 'contact':
      return { cause: 'address_is_contact' };
    case 'guest':
      return { cause: 'address_is_guest' };
    case 'user': {
      const { primaryAddress } = recipient;
      if (primaryAddress === undefined || primaryAddress === address) return undefined;
      return {
        cause: 'address_is_alias',
        detail: `The address is an alias; the mailbox’s primary address is ${primaryAddress}.`,
      };
    }
    case 'nothing':
      return undefined;
  }
}
