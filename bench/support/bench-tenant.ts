import { demoGrants } from '../../local/demo/mailboxes.ts';
import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';

export { demoGrants };
/** What an app needs for the two Graph probes. With more, it is asked more about each mailbox. */
export const mailGrants = demoGrants.filter((grant) => grant.startsWith('Mail.'));
type Grant = (typeof demoGrants)[number];

type ScenarioTenant = ScenarioInput['tenants'][number];

export const clientSecretExpiresAt = '2035-12-31T00:00:00Z';
const clientSecret = 'simulated-Bench-8Q~value-of-a-client-secret';

/** A simulated tenant in which every mailbox passes. `number` tells the tenants of one scenario apart. */
export interface BenchTenant {
  domain: string;
  clientId: string;
  clientSecret: string;
  scenario: ScenarioTenant;
}

export function benchTenant(
  number: number,
  mailboxes: number,
  grants: readonly Grant[] = demoGrants,
  more: Partial<ScenarioTenant> = {},
): BenchTenant {
  const suffix = String(number).padStart(12, '0');
  const domain = `bench${number}.example`;
  const clientId = `0b0e5c1d-2f6a-4b83-8e97-${suffix}`;
  const scenario: ScenarioTenant = {
    id: `6f1c2a94-7d3e-4c58-9b06-${suffix}`,
    name: `Bench ${number}`,
    domains: [domain],
    apps: [
      {
        clientId,
        displayName: 'Outreach',
        secrets: [{ value: clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
        grants: [...grants],
        consent: 'granted',
      },
    ],
    mailboxes: [{ generate: mailboxes, address: `user{n}@${domain}` }],
    ...more,
  };
  return { domain, clientId, clientSecret, scenario };
}

/** A CSV of the mailboxes `user<from>` to `user<to>`. */
export function csvOf(domain: string, from: number, to: number): string {
  const addresses = Array.from({ length: to - from + 1 }, (_, i) => `user${from + i}@${domain}`);
  return `email\n${addresses.join('\n')}\n`;
}
