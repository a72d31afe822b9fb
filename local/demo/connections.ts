import type { ScenarioInput } from '../microsoft365/scenario.ts';

type App = NonNullable<ScenarioInput['tenants'][number]['apps']>[number];

/** A connection as a customer registers it, and the cause that its connection test must name. */
export interface ConnectionCase {
  cause: string;
  tenant: string;
  clientId: string;
  clientSecret: string;
}

const secret = (name: string) => `simulated-${name}-8Q~value-of-a-client-secret`;
const grants = ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'];

/** The ids differ only in their last digits, so they are easy to tell apart in a log. */
const clientIdOf = (index: number) => `c0ffee00-5a1d-4b2e-9f3c-${String(index).padStart(12, '0')}`;

interface Case {
  cause: string;
  app?: Partial<App>;
  /** Wrong values that the customer types in. */
  typed?: { tenant?: string; clientSecret?: string };
}

const cases: Case[] = [
  { cause: 'secret_wrong', typed: { clientSecret: 'not-the-value-of-the-secret-8Q~at-all' } },
  { cause: 'secret_expired', app: { secrets: [{ value: secret('expired'), expiresAt: '2026-01-01T00:00:00Z' }] } },
  // No app of the tenant has this client id.
  { cause: 'app_not_found' },
  { cause: 'tenant_not_found', typed: { tenant: '00000000-feed-4bad-8bad-000000000404' } },
  { cause: 'app_disabled', app: { enabled: false } },
  { cause: 'service_principal_missing', app: { consent: 'absent' } },
  { cause: 'consent_missing', app: { consent: 'none' } },
  { cause: 'permission_missing', app: { grants: ['Mail.ReadWrite', 'User.Read.All'] } },
  { cause: 'conditional_access_blocked', app: { tokenError: 'AADSTS53003' } },
  { cause: 'wrong_cloud', app: { tokenError: 'AADSTS900432' } },
];

const nameOf = ({ cause }: Case) => cause.replaceAll('_', '-');

/** Apps of the demo tenant, one for each cause. */
export const demoApps: App[] = cases.flatMap((entry, index) =>
  entry.cause === 'app_not_found'
    ? []
    : [
        {
          clientId: clientIdOf(index + 1),
          displayName: nameOf(entry),
          secrets: [{ value: secret(nameOf(entry)), expiresAt: '2036-01-01T00:00:00Z' }],
          grants,
          ...entry.app,
        },
      ],
);

export function connectionCases(tenantId: string): ConnectionCase[] {
  return cases.map((entry, index) => ({
    cause: entry.cause,
    tenant: entry.typed?.tenant ?? tenantId,
    clientId: clientIdOf(index + 1),
    clientSecret: entry.typed?.clientSecret ?? entry.app?.secrets?.[0]?.value ?? secret(nameOf(entry)),
  }));
}
