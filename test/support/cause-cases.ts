import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';
import type { CauseCode } from '../../shared/causes/causes.ts';
import type { Probe, Verdict } from '../../shared/causes/verdict.ts';

type Tenant = ScenarioInput['tenants'][number];
type App = NonNullable<Tenant['apps']>[number];
type Mailbox = NonNullable<Tenant['mailboxes']>[number];
type Recipient = NonNullable<Tenant['recipients']>[number];

export const domain = 'adatum.example';
const tenantId = '3c9a7e10-54b2-4f68-8d1e-a97c20f4b601';
const secretOf = (name: string) => `simulated-${name}-8Q~value-of-a-client-secret`;

/** What a customer registers. */
export interface Registration {
  tenant: string;
  clientId: string;
  clientSecret: string;
}

/** A cause that lies with the connection, and where a customer meets it. */
export interface ConnectionCase {
  cause: CauseCode;
  name: string;
  /** Refused when it is registered, at the consent page, by its test, or once mailboxes are checked. */
  at: 'registering' | 'consent' | 'test' | 'import';
  registration: Registration;
  /** Microsoft's own id of the refusal comes with it. */
  hasRequestId?: boolean;
  probes?: Probe[];
  defaultMailbox?: string;
}

/** A cause that lies with one mailbox: what each probe must say. */
export interface MailboxCase {
  cause: CauseCode;
  address: string;
  verdicts: Partial<Record<Probe, Verdict>>;
  hasRequestId?: boolean;
}

const clientIdOf = (index: number) => `ca5e0000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const at = (name: string) => `${name}@${domain}`;
const mailGrants = ['Mail.ReadWrite', 'Mail.Send'];
const readers = ['User.Read.All', 'Group.Read.All', 'OrgContact.Read.All', 'MailboxSettings.Read'];

export const mainApp = { tenant: domain, clientId: clientIdOf(1), clientSecret: secretOf('main') };
/** Its token shows no grant: what it may do it may by RBAC for Applications, in some mailboxes. */
export const scopedApp = { tenant: domain, clientId: clientIdOf(2), clientSecret: secretOf('scoped') };
/** It may write but not send. */
export const writerApp = { tenant: domain, clientId: clientIdOf(3), clientSecret: secretOf('writer') };
/** For mailboxes by IMAP and SMTP alone. */
export const protocolApp = { tenant: domain, clientId: clientIdOf(4), clientSecret: secretOf('protocol') };

/** For messages that mailboxes send to themselves. */
export const selfApp = { tenant: domain, clientId: clientIdOf(6), clientSecret: secretOf('self') };

function appOf({ clientId, clientSecret }: Registration, more: Partial<App>): App {
  return {
    clientId,
    displayName: clientId.slice(-4),
    secrets: [{ value: clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
    grants: mailGrants,
    ...more,
  };
}

interface Lone {
  cause: CauseCode;
  name?: string;
  at: ConnectionCase['at'];
  app?: Partial<App>;
  typed?: Partial<Registration>;
  absent?: true;
  requestId?: false;
  probes?: Probe[];
  defaultMailbox?: string;
  /** A tenant of its own, with this about it. */
  tenant?: Partial<Tenant>;
}

const loneCases: Lone[] = [
  { cause: 'secret_id_pasted', at: 'registering', typed: { clientSecret: '0f6f7a3e-5a0e-4c38-9d0c-3ff2a1b7c901' } },
  { cause: 'tenant_not_found', at: 'registering', typed: { tenant: 'nobody-has-this.example' } },
  { cause: 'tenant_not_found', name: 'by id', at: 'test', typed: { tenant: '00000000-feed-4bad-8bad-000000000404' } },
  { cause: 'consent_declined', at: 'consent', app: { consent: 'declined' }, requestId: false },
  { cause: 'secret_wrong', at: 'test', typed: { clientSecret: 'not-the-value-of-the-secret-8Q~at-all' } },
  {
    cause: 'secret_expired',
    at: 'test',
    app: { secrets: [{ value: secretOf('expired'), expiresAt: '2026-01-01T00:00:00Z' }] },
    typed: { clientSecret: secretOf('expired') },
  },
  { cause: 'certificate_wrong', at: 'test', app: { tokenError: 'AADSTS700027' } },
  { cause: 'app_not_found', at: 'test', absent: true },
  { cause: 'app_misconfigured', at: 'test', app: { tokenError: 'AADSTS700025' } },
  { cause: 'app_disabled', at: 'test', app: { enabled: false } },
  { cause: 'service_principal_missing', at: 'test', app: { consent: 'absent' } },
  { cause: 'service_principal_missing', name: 'only Graph notices', at: 'import', app: { identityMissing: true } },
  { cause: 'consent_missing', at: 'test', app: { consent: 'none' }, requestId: false },
  { cause: 'conditional_access_blocked', at: 'test', app: { tokenError: 'AADSTS53003' } },
  { cause: 'wrong_cloud', at: 'test', app: { tokenError: 'AADSTS900432' } },
  { cause: 'service_missing', at: 'test', app: { tokenError: 'AADSTS650052' } },
  {
    cause: 'service_missing',
    name: 'no Exchange',
    at: 'test',
    probes: ['imap'],
    app: { grants: ['IMAP.AccessAsApp', 'Mail.Send'] },
    tenant: { missingResources: ['https://outlook.office365.com'] },
  },
  { cause: 'tenant_blocked', at: 'import', tenant: { organizationBlocked: true } },
  {
    cause: 'token_rejected',
    at: 'import',
    tenant: { mailboxes: [{ address: 'one@lone.example', fault: 'error:InvalidAuthenticationToken' }] },
  },
  {
    cause: 'send_probe_delivered',
    at: 'import',
    tenant: { mailboxes: [{ address: 'one@lone.example', fault: 'sendAccepted' }] },
  },
];

const apps: App[] = [];
const ownTenants: Tenant[] = [];

export const connectionCases: ConnectionCase[] = loneCases.map((lone, i) => {
  const own: Registration = { tenant: domain, clientId: clientIdOf(100 + i), clientSecret: secretOf(`lone-${i}`) };
  const app = appOf(own, lone.app ?? {});
  if (lone.tenant) {
    own.tenant = `lone${i}.example`;
    const rename = (text: string) => text.replace('lone.example', own.tenant);
    const mailboxes = (lone.tenant.mailboxes ?? [{ address: 'one@lone.example' }]).map((mailbox) => ({
      ...mailbox,
      address: rename(mailbox.address),
    }));
    ownTenants.push({
      id: `3c9a7e10-54b2-4f68-8d1e-${String(i).padStart(12, '0')}`,
      name: `Lone ${i}`,
      domains: [own.tenant],
      apps: [app],
      ...lone.tenant,
      mailboxes,
    });
  } else if (!lone.absent) apps.push(app);
  return {
    cause: lone.cause,
    name: lone.name ? `${lone.cause} (${lone.name})` : lone.cause,
    at: lone.at,
    registration: { ...own, ...lone.typed },
    hasRequestId: lone.requestId !== false,
    ...(lone.probes && { probes: lone.probes }),
    ...(lone.defaultMailbox && { defaultMailbox: lone.defaultMailbox }),
  };
});

export const ownTenant = (name: string) => ownTenants.find(({ domains }) => domains.includes(name));

const mailboxes: Mailbox[] = [];
const recipients: Recipient[] = [];
const blocked: string[] = [];

const both = (verdict: Verdict) => ({ 'graph.readWrite': verdict, 'graph.send': verdict });
const onlySend = { 'graph.readWrite': 'failed', 'graph.send': 'passed' } as const;
const onlyWrite = { 'graph.readWrite': 'passed', 'graph.send': 'failed' } as const;

interface Single {
  cause: CauseCode;
  address: string;
  verdicts: MailboxCase['verdicts'];
  mailbox?: Omit<Mailbox, 'address'>;
  recipient?: Recipient['kind'];
  requestId?: false;
}

function collect(cases: readonly Single[]): MailboxCase[] {
  return cases.map(({ cause, address, verdicts, mailbox, recipient, requestId }) => {
    if (mailbox) mailboxes.push({ address, ...mailbox });
    if (recipient) recipients.push({ address, kind: recipient });
    return { cause, address, verdicts, hasRequestId: requestId !== false };
  });
}

/** Asked by the main app, which is granted everything for the whole tenant, and may read the directory. */
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
    requestId: false,
  },
  {
    cause: 'unknown_refusal',
    address: at('odd'),
    mailbox: { fault: { code: 'ErrorOfTomorrow', status: 403, message: 'Tomorrow, not today.' } },
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
mailboxes.push({ address: plainMailbox, fullAccess: [protocolApp.clientId] });

/** Asked by the app that may use some mailboxes by RBAC for Applications, and no other. */
export const scopedCases: MailboxCase[] = collect([
  { cause: 'mailbox_out_of_scope', address: at('outside'), mailbox: {}, verdicts: both('failed') },
]);

/** Asked by really sending. */
export const selfCases: MailboxCase[] = collect([
  {
    cause: 'message_not_delivered',
    address: at('swallowed'),
    mailbox: { fault: 'sendVanishes' },
    verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'inconclusive' },
  },
]);

/** Asked by the app that was never granted Mail.Send. */
export const writerCases: MailboxCase[] = collect([
  { cause: 'permission_missing', address: at('no-send-1'), mailbox: {}, verdicts: onlyWrite },
  { cause: 'permission_missing', address: at('no-send-2'), mailbox: {}, verdicts: onlyWrite },
]);

const fullAccess = [protocolApp.clientId];
/** Asked by IMAP and SMTP, which give no request ids. */
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
  ).map((entry) => ({ ...entry, requestId: false as const })),
);

/** A tenant in which authenticated SMTP is off for everybody who has no exception. */
export const smtpOff = { tenant: 'smtp-off.example', clientId: clientIdOf(5), clientSecret: secretOf('smtp-off') };
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

const protocolGrants = ['IMAP.AccessAsApp', 'SMTP.SendAsApp'];

export const causeScenario: ScenarioInput = {
  latencyMs: 5,
  tenants: [
    {
      id: tenantId,
      name: 'Adatum',
      domains: [domain],
      apps: [
        appOf(mainApp, { grants: [...mailGrants, ...readers], accessPolicy: { deny: blocked } }),
        appOf(scopedApp, {
          grants: [],
          rbac: [{ role: 'Application Mail Full Access', members: [plainMailbox] }],
        }),
        appOf(writerApp, { grants: ['Mail.ReadWrite'] }),
        appOf(protocolApp, { grants: protocolGrants }),
        appOf(selfApp, {}),
        ...apps,
      ],
      mailboxes,
      recipients,
    },
    {
      id: '3c9a7e10-54b2-4f68-8d1e-a97c20f4b602',
      name: 'SMTP off',
      domains: [smtpOff.tenant],
      smtpAuthDisabled: true,
      apps: [appOf(smtpOff, { grants: protocolGrants })],
      mailboxes: [
        { address: `one@${smtpOff.tenant}`, fullAccess: [smtpOff.clientId] },
        { address: `two@${smtpOff.tenant}`, fullAccess: [smtpOff.clientId], smtpAuth: true, fault: 'error:5.7.3' },
      ],
    },
    ...ownTenants,
  ],
};
