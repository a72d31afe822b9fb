import type { CauseCode } from '../../../shared/causes/causes.ts';
import type { Probe } from '../../../shared/causes/verdict.ts';
import { type App, appOf, clientIdOf, domain, type Registration, secretOf, type Tenant } from './apps.ts';

/** A cause of a whole connection. */
export interface ConnectionCase {
  cause: CauseCode;
  name: string;
  /** Where the customer sees it: at registration, on the consent page, in the connection test, or in an import. */
  at: 'registering' | 'consent' | 'test' | 'import';
  registration: Registration;
  /** The finding has Microsoft's id of the refused request. */
  hasRequestId?: boolean;
  probes?: Probe[];
  defaultMailbox?: string;
}

interface CaseInput extends Pick<ConnectionCase, 'cause' | 'at' | 'probes' | 'defaultMailbox'> {
  name?: string;
  /** How the app in the simulated tenant differs from a working one. */
  app?: Partial<App>;
  /** What the customer enters instead of the right values. */
  entered?: Partial<Registration>;
  /** The tenant does not know the app. */
  isAppAbsent?: true;
  hasRequestId?: false;
  /** The app gets a tenant of its own with these properties. */
  tenant?: Partial<Tenant>;
}

const inputs: CaseInput[] = [
  { cause: 'secret_id_pasted', at: 'registering', entered: { clientSecret: '0f6f7a3e-5a0e-4c38-9d0c-3ff2a1b7c901' } },
  { cause: 'tenant_not_found', at: 'registering', entered: { tenant: 'nobody-has-this.example' } },
  { cause: 'tenant_not_found', name: 'by id', at: 'test', entered: { tenant: '00000000-feed-4bad-8bad-000000000404' } },
  { cause: 'consent_declined', at: 'consent', app: { consent: 'declined' }, hasRequestId: false },
  { cause: 'consent_admin_required', at: 'consent', app: { consentError: 'AADSTS90094' }, hasRequestId: false },
  { cause: 'consent_wrong_account', at: 'consent', app: { consentError: 'AADSTS50020' }, hasRequestId: false },
  { cause: 'consent_blocked_by_policy', at: 'consent', app: { consentError: 'AADSTS53003' }, hasRequestId: false },
  { cause: 'secret_wrong', at: 'test', entered: { clientSecret: 'not-the-value-of-the-secret-8Q~anywhere' } },
  {
    cause: 'secret_expired',
    at: 'test',
    app: { secrets: [{ value: secretOf('expired'), expiresAt: '2026-01-01T00:00:00Z' }] },
    entered: { clientSecret: secretOf('expired') },
  },
  { cause: 'certificate_not_registered', at: 'test', app: { tokenError: 'AADSTS700027' } },
  { cause: 'certificate_wrong', at: 'test', app: { tokenError: 'AADSTS700021' } },
  { cause: 'clock_wrong', at: 'test', app: { tokenError: 'AADSTS700024' } },
  { cause: 'app_not_found', at: 'test', isAppAbsent: true },
  { cause: 'app_misconfigured', at: 'test', app: { tokenError: 'AADSTS700025' } },
  { cause: 'app_disabled', at: 'test', app: { enabled: false } },
  { cause: 'service_principal_missing', at: 'test', app: { consent: 'absent' } },
  { cause: 'service_principal_missing', name: 'only Graph notices', at: 'import', app: { identityMissing: true } },
  { cause: 'consent_missing', at: 'test', app: { consent: 'none' }, hasRequestId: false },
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
    tenant: { mailboxes: [{ address: 'one@own-tenant.example', fault: 'error:InvalidAuthenticationToken' }] },
  },
  {
    cause: 'send_probe_delivered',
    at: 'import',
    tenant: { mailboxes: [{ address: 'one@own-tenant.example', fault: 'sendAccepted' }] },
  },
];

/** The apps of the cases, in the tenant Adatum. */
export const caseApps: App[] = [];
/** The tenants of the cases that have their own. */
export const caseTenants: Tenant[] = [];

export const connectionCases: ConnectionCase[] = inputs.map((input, i) => {
  const registration = { tenant: domain, clientId: clientIdOf(100 + i), clientSecret: secretOf(`case-${i}`) };
  const app = appOf(registration, input.app ?? {});
  if (input.tenant) {
    registration.tenant = `own-tenant${i}.example`;
    const rename = (text: string) => text.replace('own-tenant.example', registration.tenant);
    const mailboxes = (input.tenant.mailboxes ?? [{ address: 'one@own-tenant.example' }]).map((mailbox) => ({
      ...mailbox,
      address: rename(mailbox.address),
    }));
    caseTenants.push({
      id: `3c9a7e10-54b2-4f68-8d1e-${String(i).padStart(12, '0')}`,
      name: `Case ${i}`,
      domains: [registration.tenant],
      apps: [app],
      ...input.tenant,
      mailboxes,
    });
  } else if (!input.isAppAbsent) caseApps.push(app);
  return {
    cause: input.cause,
    name: input.name ? `${input.cause} (${input.name})` : input.cause,
    at: input.at,
    registration: { ...registration, ...input.entered },
    hasRequestId: input.hasRequestId !== false,
    ...(input.probes && { probes: input.probes }),
    ...(input.defaultMailbox && { defaultMailbox: input.defaultMailbox }),
  };
});

/** The tenant with this domain that a case has for itself. */
export const caseTenantOf = (name: string) => caseTenants.find(({ domains }) => domains.includes(name));
