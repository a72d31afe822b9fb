import type { ScenarioInput } from '../../../local/microsoft365/scenario.ts';

/** The apps that the cases of causes register, in the simulated tenant Adatum. */

export type Tenant = ScenarioInput['tenants'][number];
export type App = NonNullable<Tenant['apps']>[number];

export const domain = 'adatum.example';
export const secretOf = (name: string) => `simulated-${name}-8Q~value-of-a-client-secret`;
export const clientIdOf = (index: number) => `ca5e0000-0000-4000-8000-${String(index).padStart(12, '0')}`;
export const at = (name: string) => `${name}@${domain}`;
export const mailGrants = ['Mail.ReadWrite', 'Mail.Send'];

/** The fields that a customer enters to register a connection. */
export interface Registration {
  tenant: string;
  clientId: string;
  clientSecret: string;
}

/** Has every grant for the whole tenant, and may read the directory. */
export const mainApp = { tenant: domain, clientId: clientIdOf(1), clientSecret: secretOf('main') };
/** Has no grant in its token. RBAC for Applications gives it access to some mailboxes. */
export const scopedApp = { tenant: domain, clientId: clientIdOf(2), clientSecret: secretOf('scoped') };
/** May write but not send. */
export const writerApp = { tenant: domain, clientId: clientIdOf(3), clientSecret: secretOf('writer') };
/** Uses only IMAP and SMTP. */
export const protocolApp = { tenant: domain, clientId: clientIdOf(4), clientSecret: secretOf('protocol') };
/** For messages that mailboxes send to themselves. */
export const selfApp = { tenant: domain, clientId: clientIdOf(6), clientSecret: secretOf('self') };
/** In a tenant that disables authenticated SMTP, except for mailboxes that enable it. */
export const smtpOff = { tenant: 'smtp-off.example', clientId: clientIdOf(5), clientSecret: secretOf('smtp-off') };

/** The app as the simulated tenant knows it. */
export function appOf({ clientId, clientSecret }: Registration, more: Partial<App>): App {
  return {
    clientId,
    displayName: clientId.slice(-4),
    secrets: [{ value: clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
    grants: mailGrants,
    ...more,
  };
}
