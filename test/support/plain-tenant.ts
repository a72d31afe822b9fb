import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';

/** The simulated tenant of most end-to-end tests, with its app and the app's secret. */
export const tenant = {
  id: '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50',
  domain: 'tailspin.example',
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
  clientSecret: 'simulated-Tailspin-8Q~value-of-a-client-secret',
} as const;

/** A tenant with a consented app and this many mailboxes that pass. */
export function plainTenant(
  mailboxes: number,
  more: Partial<ScenarioInput['tenants'][number]> = {},
  latencyMs = 5,
): ScenarioInput {
  const { mailboxes: special = [], ...rest } = more;
  return {
    latencyMs,
    tenants: [
      {
        id: tenant.id,
        name: 'Tailspin',
        domains: [tenant.domain],
        apps: [
          {
            clientId: tenant.clientId,
            displayName: 'Outreach',
            secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
            grants: ['Mail.ReadWrite', 'Mail.Send'],
            consent: 'granted',
          },
        ],
        mailboxes: [...special, { generate: mailboxes, address: `user{n}@${tenant.domain}` }],
        ...rest,
      },
    ],
  };
}

export const plainAddresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `user${i + 1}@${tenant.domain}`);
export const csvOf = (addresses: readonly string[]) => `email_address\n${addresses.join('\n')}\n`;
