import type { MailboxFault, ScenarioInput } from '../microsoft365/scenario.ts';
import type { Expected } from './expectations.ts';

type Mailbox = NonNullable<ScenarioInput['tenants'][number]['mailboxes']>[number];
type Recipient = NonNullable<ScenarioInput['tenants'][number]['recipients']>[number];
type Verdicts = Expected['verdicts'];

/** What an app needs to check these mailboxes, and to explain each refusal. */
export const demoGrants = [
  'Mail.ReadWrite',
  'Mail.Send',
  'User.Read.All',
  'Group.Read.All',
  'OrgContact.Read.All',
  'MailboxSettings.Read',
] as const;

const both = (verdict: Verdicts['graph.send']): Verdicts => ({ 'graph.readWrite': verdict, 'graph.send': verdict });
const onlySend: Verdicts = { 'graph.readWrite': 'failed', 'graph.send': 'passed' };
const onlyReadWrite: Verdicts = { 'graph.readWrite': 'passed', 'graph.send': 'failed' };

interface Case {
  name: string;
  fault?: MailboxFault;
  kind?: Mailbox['kind'];
  recipient?: Recipient['kind'];
  /** The directory has no such address. */
  absent?: true;
  blocked?: true;
  verdicts: Verdicts;
  cause?: string;
  untilGivenUp?: true;
}

const cases: Case[] = [
  { name: 'support', kind: 'shared', verdicts: both('passed') },
  { name: 'board-room', kind: 'room', verdicts: both('passed') },
  { name: 'projector', kind: 'equipment', verdicts: both('passed') },
  { name: 'slow', fault: 'slow', verdicts: both('passed') },
  { name: 'flaky', fault: 'flaky', verdicts: both('passed') },
  { name: 'forgetful', fault: 'lostDraft', verdicts: both('passed') },
  { name: 'busy', fault: { code: 'ApplicationThrottled', times: 4, retryAfterSeconds: 1 }, verdicts: both('passed') },
  { name: 'may-not-send', fault: 'sendDenied', verdicts: onlyReadWrite, cause: 'mailbox_out_of_scope' },
  { name: 'may-not-write', fault: 'readWriteDenied', verdicts: onlySend, cause: 'mailbox_out_of_scope' },
  { name: 'legal', kind: 'shared', blocked: true, verdicts: both('failed'), cause: 'access_policy_blocked' },
  { name: 'full', fault: 'full', verdicts: onlySend, cause: 'mailbox_full' },
  { name: 'on-behalf', fault: 'error:ErrorSendAsDenied', verdicts: onlyReadWrite, cause: 'send_as_denied' },
  {
    name: 'restricted',
    fault: 'error:ErrorMessageSubmissionBlocked',
    verdicts: onlyReadWrite,
    cause: 'sending_blocked',
  },
  { name: 'leaver', recipient: 'disabled', verdicts: both('failed'), cause: 'mailbox_disabled' },
  { name: 'nobody', absent: true, verdicts: both('failed'), cause: 'mailbox_not_found' },
  { name: 'sales', recipient: 'group', verdicts: both('failed'), cause: 'address_is_group' },
  { name: 'supplier', recipient: 'contact', verdicts: both('failed'), cause: 'address_is_contact' },
  { name: 'visitor', recipient: 'guest', verdicts: both('failed'), cause: 'address_is_guest' },
  { name: 'factory', recipient: 'onPremises', verdicts: both('failed'), cause: 'mailbox_unlicensed_or_on_premises' },
  { name: 'newcomer', recipient: 'unlicensed', verdicts: both('failed'), cause: 'mailbox_unlicensed_or_on_premises' },
  { name: 'deleted', recipient: 'softDeleted', verdicts: both('failed'), cause: 'mailbox_unlicensed_or_on_premises' },
  { name: 'inactive', recipient: 'inactive', verdicts: both('failed'), cause: 'mailbox_unlicensed_or_on_premises' },
  {
    name: 'odd',
    fault: { code: 'ErrorOfTomorrow', status: 403, message: 'Tomorrow, not today.' },
    verdicts: both('inconclusive'),
    cause: 'unknown_refusal',
  },
  {
    name: 'overrun',
    fault: { code: 'ApplicationThrottled', retryAfterSeconds: 1 },
    verdicts: both('inconclusive'),
    cause: 'throttled',
    untilGivenUp: true,
  },
  {
    name: 'moving',
    fault: 'moving',
    verdicts: { 'graph.readWrite': 'inconclusive', 'graph.send': 'passed' },
    cause: 'mailbox_moving',
    untilGivenUp: true,
  },
  { name: 'down', fault: 'down', verdicts: both('inconclusive'), cause: 'microsoft_unavailable', untilGivenUp: true },
  {
    name: 'garbled',
    fault: 'garbage',
    verdicts: both('inconclusive'),
    cause: 'microsoft_unavailable',
    untilGivenUp: true,
  },
];

/** The special addresses of the demo: every mailbox kind, every fault, and every kind of recipient without a mailbox. */
export function demoMailboxes(domain: string): {
  mailboxes: Mailbox[];
  recipients: Recipient[];
  blockedByPolicy: string[];
  expected: Expected[];
} {
  const mailboxes: Mailbox[] = [];
  const recipients: Recipient[] = [];
  const blockedByPolicy: string[] = [];
  const expected: Expected[] = [];
  for (const { name, kind, fault, recipient, absent, blocked, verdicts, cause, untilGivenUp } of cases) {
    const address = `${name}@${domain}`;
    if (recipient) recipients.push({ address, kind: recipient });
    else if (!absent) mailboxes.push({ address, kind: kind ?? 'user', fault: fault ?? null });
    if (blocked) blockedByPolicy.push(address);
    expected.push({
      address,
      verdicts,
      ...(cause === undefined ? {} : { cause }),
      ...(untilGivenUp ? { untilGivenUp } : {}),
    });
  }
  const alias = `jane.alias@${domain}`;
  mailboxes.push({ address: `jane@${domain}`, displayName: 'Jane', aliases: [alias] });
  expected.push({ address: `jane@${domain}`, verdicts: both('passed') });
  expected.push({ address: alias, verdicts: both('failed'), cause: 'address_is_alias' });
  return { mailboxes, recipients, blockedByPolicy, expected };
}
