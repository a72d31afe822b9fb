import type { ScenarioInput } from '../microsoft365/scenario.ts';
import { type ConnectionCase, connectionCases, demoApps } from './connections.ts';
import type { Expected } from './expectations.ts';
import { demoGrants, demoMailboxes } from './mailboxes.ts';

export interface DemoScenario {
  scenario: ScenarioInput;
  /** The connection that the demo imports into. */
  main: { tenant: string; domain: string; clientId: string; clientSecret: string; defaultMailbox: string };
  /** The expected result for each row of the CSV. Muster never sees it. */
  expected: Expected[];
  /** One connection for each cause that affects a whole connection. */
  connections: ConnectionCase[];
}

export const demoTenantId = '2b7d9c40-6e1f-4a35-8c92-d0f4a1b6e705';
export const demoDomain = 'northwind.example';
const clientId = '7a3e1f58-9b4c-4d26-a0e7-6c8d5b2f9106';
const clientSecret = 'simulated-Northwind-8Q~value-of-a-client-secret';

/**
 * Describes the demo tenant. Its mailboxes produce every mailbox-level cause, its apps every connection-level cause.
 * The same number of mailboxes always gives the same tenant, with the same ids.
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
              grants: [...demoGrants],
              // The demo accepts on the simulated consent page, as a customer's admin does.
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
