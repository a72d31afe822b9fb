import { expect, it } from 'vitest';
import { demoGrants, demoMailboxes } from '../../local/demo/mailboxes.ts';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 300;
const special = demoMailboxes(tenant.domain);
// A mailbox for which Microsoft never answers would stay `waiting` for a day.
const expected = special.expected.filter(({ untilGivenUp }) => !untilGivenUp);
const addresses = [
  ...expected.map(({ address }) => address),
  ...Array.from({ length: MAILBOXES - expected.length }, (_, i) => `user${i + 1}@${tenant.domain}`),
];

const running = useRunningStack(
  plainTenant(MAILBOXES, {
    apps: [
      {
        clientId: tenant.clientId,
        displayName: 'Outreach',
        secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
        grants: [...demoGrants],
        accessPolicy: { deny: special.blockedByPolicy },
      },
    ],
    mailboxes: special.mailboxes,
    recipients: special.recipients,
  }),
);

/** A mailbox as the API shows it, without times. Each check is its probe, verdict and cause. */
interface MailboxResult {
  kind: string;
  status: string;
  checks: (string | undefined)[][];
}

/** Imports all addresses into a new connection. Resolves to the result of each mailbox. */
async function verdicts(prepare: () => Promise<void>): Promise<Map<string, MailboxResult>> {
  const { id: connectionId } = await running.connect();
  await prepare();
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  const progress = await running.untilEnded(id, 280_000);
  await expectExact(running, progress, MAILBOXES);
  const found = new Map<string, MailboxResult>();
  for await (const { address, kind, status, checks } of running.muster.mailboxes.list(connectionId)) {
    const probed = Object.entries(checks).map(([probe, { verdict, cause }]) => [probe, verdict, cause]);
    found.set(address, { kind, status, checks: probed.sort() });
  }
  await running.muster.connections.remove(connectionId);
  return found;
}

it('gives every mailbox the same verdict with and without throttling, outages, dropped connections and garbage', async () => {
  const undisturbed = await verdicts(async () => undefined);
  for (const { address, verdicts: wanted, cause } of expected) {
    const checks = new Map(undisturbed.get(address)?.checks.map(([probe, ...rest]) => [probe, rest]));
    for (const [probe, verdict] of Object.entries(wanted)) {
      expect([address, checks.get(probe)?.[0]]).toEqual([address, verdict]);
      if (verdict !== 'passed') expect([address, checks.get(probe)?.[1]]).toEqual([address, cause]);
    }
  }
  const disturbed = await verdicts(() =>
    running.changeTenant((wanted) => {
      wanted.faultRates = { throttled: 0.2, unavailable: 0.05, dropped: 0.02, garbage: 0.01, retryAfterSeconds: 1 };
    }),
  );
  expect(new Map([...disturbed].sort())).toEqual(new Map([...undisturbed].sort()));
}, 600_000);
