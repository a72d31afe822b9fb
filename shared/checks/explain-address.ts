import type { CauseCode } from '../causes/causes.ts';
import { explain } from '../causes/explain.ts';
import type { Findings, Probe, ProbeFinding } from '../causes/verdict.ts';
import type { Answer } from './answer.ts';
import type { Recipient } from './recipients.ts';

/** Causes that say only that there is no usable mailbox. The directory may know the reason. */
const UNEXPLAINED: ReadonlySet<CauseCode> = new Set(['mailbox_not_found', 'mailbox_unlicensed_or_on_premises']);

/** The least permission that tells whether an address belongs to one. */
const TELLS = { group: 'Group.ReadBasic.All', contact: 'OrgContact.Read.All' } as const;

export function hasUnexplainedAddress(findings: Findings): boolean {
  return Object.values(findings).some(({ cause }) => cause !== undefined && UNEXPLAINED.has(cause));
}

/**
 * Explains from the directory what an address without a usable mailbox really is. Only the cause changes, not the
 * verdict.
 */
export function explainAddress(findings: Findings, address: string, recipient: Answer<Recipient>): Findings {
  const explainOne = (probe: Probe, finding: ProbeFinding): ProbeFinding => {
    if (finding.cause === undefined || !UNEXPLAINED.has(finding.cause)) return finding;
    const known = recipient.kind === 'accepted' ? causeOf(recipient.value, address) : undefined;
    if (known) return { ...finding, ...known };
    const hint = hintOf(recipient);
    if (hint === undefined) return finding;
    const { sentence } = explain(finding.cause, { probes: [probe], denial: finding.denial });
    return { ...finding, detail: `${sentence} ${hint}` };
  };
  return Object.fromEntries(
    Object.entries(findings).map(([probe, finding]) => [probe, explainOne(probe as Probe, finding)]),
  );
}

/** Which permission would tell more. */
function hintOf(recipient: Answer<Recipient>): string | undefined {
  if (recipient.kind !== 'accepted') {
    return 'To get a more precise reason, grant the app the permission User.Read.All.';
  }
  const unread = recipient.value.kind === 'nothing' ? (recipient.value.unread ?? []) : [];
  if (unread.length === 0) return undefined;
  const kinds = unread.map((kind) => `a ${kind}`).join(' or ');
  return `To find out whether it is ${kinds}, grant the app ${unread.map((kind) => TELLS[kind]).join(' and ')}.`;
}

/**
 * Fails every probe of an address that is only an alias, although Exchange accepts it. Otherwise one mailbox under two
 * addresses would take two slots and get twice its daily limit.
 */
export function failIfAlias(findings: Findings, address: string, owner: Answer<Recipient> | undefined): Findings {
  if (owner?.kind !== 'accepted' || owner.value.kind !== 'user') return findings;
  const known = causeOf(owner.value, address);
  if (!known) return findings;
  const fail = (finding: ProbeFinding): ProbeFinding =>
    finding.verdict === 'skipped' ? finding : { ...finding, ...known, verdict: 'failed' };
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, fail(finding)]));
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
      const { primaryAddress, signInName } = recipient;
      // A sign-in name is a name of its own: lists from Entra have it, and Graph takes it as it takes the address.
      if (primaryAddress === undefined || primaryAddress === address || signInName === address) return undefined;
      return {
        cause: 'address_is_alias',
        detail: `This address is an alias. The primary address of the mailbox is ${primaryAddress}.`,
      };
    }
    case 'nothing':
      return undefined;
  }
}
