import type { ScenarioInput } from '../microsoft365/scenario.ts';
import { type ConnectionCase, connectionCases, demoApps } from './connections.ts';
import type { Expected } from './expectations.ts';
import { demoMailboxes } from './mailboxes.ts';

export interface DemoScenario {
  scenario: ScenarioInput;
  /** What the import of the demo connects. */
  main: { tenant: string; domain: string; clientId: string; clientSecret: string; defaultMailbox: string };
  /** One per row of the CSV: what the tenant was made to give. Muster never sees it. */
  expected: Expected[];
  /** One per cause that concerns a whole connection. */
  connections: ConnectionCase[];
}

export const demoTenantId = '2b7d9c40-6e1f-4a35-8c92-d0f4a1b6e705';
export const demoDomain = 'northwind.example';
const clientId = '7a3e1f58-9b4c-4d26-a0e7-6c8d5b2f9106';
const clientSecret = 'simulated-Northwind-8Q~value-of-a-client-secret';

/**
 * The tenant of the demo: `mailboxes` of them, among which every cause that lies with a mailbox occurs, and an app or a
 * tenant for every cause that lies with the connection. The same number gives the same tenant, down to the ids.
 */
export function demoScenario(mailboxes: number, options: { latencyMs?: number } = {}): DemoScenario {
  const special = demoMailboxes(demoDomain);
  const plain = Math.max(1, mailboxes - special.expected.length);
  const expected: Expected[] = [...special.expected];
  for (let n = 1; n <= plain; n += 1) expected.push(passes(`user${n}@${demoDomain}`));
  return {
    main: {
      tenant: demoDomain,
      domain: demoDomain,
      clientId,
      clientSecret,
      defaultMailbox: `user1@${demoDomain}`,
    },
    expected,
    connections: connectionCases(demoTenantId),
    scenario: {
      latencyMs: options.latencyMs ?? 10,
      tenants: [
        {
          id: demoTenantId,
          name: 'Northwind',
          domains: [demoDomain],
          apps: [
            {
              clientId,
              displayName: 'Outreach',
              secrets: [{ value: clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
              grants: [
                'Mail.ReadWrite',
                'Mail.Send',
                'User.Read.All',
                'Group.Read.All',
                'OrgContact.Read.All',
                'MailboxSettings.Read',
              ],
              // The admin says yes on the simulated consent page, as a customer's admin would.
              consent: 'required',
              accessPolicy: { deny: special.blockedByPolicy },
            },
            ...demoApps,
          ],
          mailboxes: [
            ...special.mailboxes,
            { generate: plain, address: `user{n}@${demoDomain}`, displayName: 'User {n}' },
          ],
          recipients: special.recipients,
        },
      ],
    },
  };
}

const passes = (address: string): Expected => ({
  address,
  verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'passed' },
});
