import type { CauseCode } from '../../../shared/causes/causes.ts';
import type { Probe, Verdict } from '../../../shared/causes/verdict.ts';
import { at, protocolApp, smtpOff, type Tenant } from './apps.ts';

type Mailbox = NonNullable<Tenant['mailboxes']>[number];
type Recipient = NonNullable<Tenant['recipients']>[number];

/** A cause of one mailbox, with the verdict of each probe. */
export interface MailboxCase {
  cause: CauseCode;
  address: string;
  verdicts: Partial<Record<Probe, Verdict>>;
  /** The finding has Microsoft's id of the refused request. */
  hasRequestId?: boolean;
}

/** The mailboxes and other recipients of the cases, in the tenant Adatum. */
export const mailboxes: Mailbox[] = [];
export const recipients: Recipient[] = [];
/** The addresses that a policy denies to the main app. */
export const blocked: string[] = [];

const both = (verdict: Verdict) => ({ 'graph.readWrite': verdict, 'graph.send': verdict });
const onlySend = { 'graph.readWrite': 'failed', 'graph.send': 'passed' } as const;
const onlyWrite = { 'graph.readWrite': 'passed', 'graph.send': 'failed' } as const;

interface CaseInput extends Pick<MailboxCase, 'cause' | 'address' | 'verdicts'> {
  /** The mailbox in the simulated tenant, if there is one. */
  mailbox?: Omit<Mailbox, 'address'>;
  /** The directory object without a mailbox, if there is one. */
  recipient?: Recipient['kind'];
  hasRequestId?: false;
}

/** Adds the mailboxes and recipients of the cases to the simulated tenant. */
function collect(cases: readonly CaseInput[]): MailboxCase[] {
  return cases.map(({ cause, address, verdicts, mailbox, recipient, hasRequestId }) => {
    if (mailbox) mailboxes.push({ address, ...mailbox });
    if (recipient) recipients.push({ address, kind: recipient });
    return { cause, address, verdicts, hasRequestId: hasRequestId !== false };
  });
}

/** Checked by the main app. */
export const mailboxCases: MailboxCase[] = collect([
  { cause: 'mailbox_out_of_scope', address: at('may-not-send'), mailbox: { fault: 'sendDenied' }, verdicts: onlyWrite },
  {
    cause: 'mailbox_out_of_scope',
    address: at('may-not-write'),
    mailbox: { fault: 'readWriteDenied' },
    verdicts: onlySend,
  },
  { cause: 'access_policy_blocked', address: at('legal'), mailbox: {}, verdicts: both('failed') },
  { cause: 'mailbox_not_found', address: at('nobody'), verdicts: both('failed') },
  { cause: 'address_is_group', address: at('sales'), recipient: 'group', verdicts: both('failed') },
  { cause: 'address_is_contact', address: at('supplier'), recipient: 'contact', verdicts: both('failed') },
  { cause: 'address_is_guest', address: at('visitor'), recipient: 'guest', verdicts: both('failed') },
  {
    cause: 'mailbox_unlicensed_or_on_premises',
    address: at('factory'),
    recipient: 'onPremises',
    verdicts: both('failed'),
  },
  {
    cause: 'mailbox_unlicensed_or_on_premises',
    address: at('newcomer'),
    recipient: 'unlicensed',
    verdicts: both('failed'),
  },
  {
    cause: 'mailbox_unlicensed_or_on_premises',
    address: at('deleted'),
    recipient: 'softDeleted',
    verdicts: both('failed'),
  },
  {
    cause: 'mailbox_unlicensed_or_on_premises',
    address: at('inactive'),
    recipient: 'inactive',
    verdicts: both('failed'),
  },
  { cause: 'mailbox_disabled', address: at('leaver'), recipient: 'disabled', verdicts: both('failed') },
  { cause: 'mailbox_full', address: at('full'), mailbox: { fault: 'full' }, verdicts: onlySend },
  {
    cause: 'mailbox_moving',
    address: at('moving'),
    mailbox: { fault: 'moving' },
    verdicts: { 'graph.readWrite': 'inconclusive', 'graph.send': 'passed' },
  },
  {
    cause: 'send_as_denied',
    address: at('on-behalf'),
    mailbox: { fault: 'error:ErrorSendAsDenied' },
    verdicts: onlyWrite,
  },
  {
    cause: 'sending_blocked',
    address: at('restricted'),
    mailbox: { fault: 'error:ErrorMessageSubmissionBlocked' },
    verdicts: onlyWrite,
  },
  {
    cause: 'throttled',
    address: at('overrun'),
    mailbox: { fault: { code: 'ApplicationThrottled', retryAfterSeconds: 1 } },
    verdicts: both('inconclusive'),
  },
  {
    cause: 'microsoft_unavailable',
    address: at('down'),
    mailbox: { fault: 'down' },
    verdicts: both('inconclusive'),
  },
  {
    cause: 'microsoft_unavailable',
    address: at('garbled'),
    mailbox: { fault: 'garbage' },
    verdicts: both('inconclusive'),
    hasRequestId: false,
  },
  {
    cause: 'unknown_refusal',
    address: at('odd'),
    mailbox: { fault: { code: 'ErrorThatMusterDoesNotKnow', status: 403, message: 'Muster does not know this.' } },
    verdicts: both('inconclusive'),
  },
]);
blocked.push(at('legal'));
mailboxes.push({ address: at('jane'), aliases: [at('jane.alias')] });
mailboxCases.push({
  cause: 'address_is_alias',
  address: at('jane.alias'),
  verdicts: both('failed'),
  hasRequestId: true,
});
/** Passes every probe of every app. */
export const plainMailbox = at('plain');
/** Another name of it. */
export const plainSignInName = at('plain.signin');
mailboxes.push({ address: plainMailbox, upn: plainSignInName, fullAccess: [protocolApp.clientId] });

/** Checked by the app that has access to some mailboxes through RBAC for Applications. */
export const scopedCases: MailboxCase[] = collect([
  { cause: 'mailbox_out_of_scope', address: at('outside'), mailbox: {}, verdicts: both('failed') },
]);

/** Checked with messages that mailboxes send to themselves. */
export const selfCases: MailboxCase[] = collect([
  {
    cause: 'message_not_delivered',
    address: at('swallowed'),
    mailbox: { fault: 'sendVanishes' },
    verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'inconclusive' },
  },
]);

/** Checked by the app without Mail.Send. */
export const writerCases: MailboxCase[] = collect([
  { cause: 'permission_missing', address: at('no-send-1'), mailbox: {}, verdicts: onlyWrite },
  { cause: 'permission_missing', address: at('no-send-2'), mailbox: {}, verdicts: onlyWrite },
]);

const fullAccess = [protocolApp.clientId];
/** Checked by IMAP and SMTP, which have no request ids. */
export const protocolCases: MailboxCase[] = collect(
  (
    [
      {
        cause: 'imap_access_missing',
        address: at('no-imap-access'),
        mailbox: {},
        verdicts: { imap: 'failed', smtp: 'failed' },
      },
      {
        cause: 'imap_disabled',
        address: at('imap-off'),
        mailbox: { imap: false, fullAccess },
        verdicts: { imap: 'failed', smtp: 'passed' },
      },
      {
        cause: 'smtp_auth_disabled_mailbox',
        address: at('smtp-off'),
        mailbox: { smtpAuth: false, fullAccess },
        verdicts: { imap: 'passed', smtp: 'failed' },
      },
      {
        cause: 'sending_blocked',
        address: at('spammer'),
        mailbox: { fault: 'error:5.1.8', fullAccess },
        verdicts: { imap: 'passed', smtp: 'failed' },
      },
      {
        cause: 'send_as_denied',
        address: at('smtp-on-behalf'),
        mailbox: { fault: 'error:5.7.60', fullAccess },
        verdicts: { imap: 'passed', smtp: 'failed' },
      },
    ] as const
  ).map((entry) => ({ ...entry, hasRequestId: false as const })),
);

/** Checked in the tenant that disables authenticated SMTP. */
export const smtpOffCases: MailboxCase[] = [
  {
    cause: 'smtp_auth_disabled_tenant',
    address: `one@${smtpOff.tenant}`,
    verdicts: { imap: 'passed', smtp: 'failed' },
    hasRequestId: false,
  },
  {
    cause: 'smtp_access_missing',
    address: `two@${smtpOff.tenant}`,
    verdicts: { imap: 'passed', smtp: 'failed' },
    hasRequestId: false,
  },
];
