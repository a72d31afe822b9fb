import { expect, it } from 'vitest';
import type { ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 300;
const neighbour = {
  id: '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a51',
  domain: 'neighbour.example',
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e38',
} as const;

function twoTenants(): ScenarioInput {
  const scenario = plainTenant(MAILBOXES);
  const [first] = scenario.tenants;
  const [app] = first?.apps ?? [];
  if (!first || !app) throw new Error('no tenant');
  scenario.tenants.push({
    ...first,
    ...{ id: neighbour.id, name: 'Neighbour', domains: [neighbour.domain] },
    apps: [{ ...app, clientId: neighbour.clientId }],
    mailboxes: [{ generate: MAILBOXES, address: `user{n}@${neighbour.domain}` }],
  });
  return scenario;
}

const running = useRunningStack(twoTenants());

it('asks a throttled tenant nothing until Microsoft allows it, and does not slow down other tenants', async () => {
  const throttled = await running.connect();
  const other = await running.connect({ tenant: neighbour.domain, clientId: neighbour.clientId });
  await running.changeTenant((wanted) => {
    wanted.throttle = { perAppPerTenantPer10s: 0, retryAfterSeconds: 20 };
  });
  const throttledAt = new Date();
  const stuck = await running.startImport(throttled.id, csvOf(plainAddresses(MAILBOXES)));
  const look = () => running.progressOf(stuck.id);
  await expect.poll(look, { timeout: 15_000 }).toMatchObject({ status: 'running' });

  const addresses = plainAddresses(MAILBOXES).map((address) => address.replace(tenant.domain, neighbour.domain));
  const { id } = await running.startImport(other.id, csvOf(addresses));
  const progress = await running.untilEnded(id, 60_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
  const { counts, waitingFor } = await look();
  expect(waitingFor).toMatchObject({ cause: 'throttled', message: expect.any(String) });
  const waiting = (await running.allRows(stuck.id)).filter(({ state }) => state === 'waiting');
  expect(waiting.length).toBe(counts.waiting);
  for (const row of waiting) expect(row).toMatchObject({ cause: 'throttled', nextCheckAt: expect.any(String) });
  expect(counts).toMatchObject({ failed: 0, inconclusive: 0 });
  expect(counts.pending + counts.waiting).toBe(MAILBOXES);

  // A few requests showed that the tenant is throttled. No more follow until `Retry-After` has passed.
  const asked = (await running.callsSince(throttledAt)).filter(
    ({ service, mailbox }) => service === 'graph' && mailbox?.endsWith(tenant.domain),
  );
  const mailboxes = new Set(
    asked.filter(({ at }) => Date.parse(at) < throttledAt.getTime() + 18_000).map((call) => call.mailbox),
  );
  expect(mailboxes.size).toBeGreaterThan(0);
  expect(mailboxes.size).toBeLessThan(60);

  await running.changeTenant(() => undefined);
  const ended = await running.untilEnded(stuck.id, 90_000);
  expect(ended.waitingFor).toBeNull();
  await expectExact(running, ended, MAILBOXES);
  expect(ended.counts.passed).toBe(MAILBOXES);
}, 180_000);
