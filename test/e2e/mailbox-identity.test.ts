import { expect, it, vi } from 'vitest';
import type { Row } from '../../clients/typescript/src/index.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const at = (name: string) => `${name}@${tenant.domain}`;
const guid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
/** An app of the same tenant that may read users and kinds. */
const reader = {
  clientId: 'b2f4d6a8-1c3e-4f5a-9b7d-2e4c6a8b0d1f',
  clientSecret: 'simulated-Reader-8Q~value-of-a-secret',
};

/** One person with three names. */
const person = (name: string, n: number) => ({
  id: guid(n),
  address: at(name),
  upn: at(`${name}.signin`),
  aliases: [at(`${name}.alias`)],
});
const denied = (name: string, n: number) => ({ id: guid(n), address: at(name), fault: 'readWriteDenied' as const });

const scenario = plainTenant(1, {
  mailboxes: [
    person('jane', 1),
    person('omar', 2),
    person('li', 3),
    denied('ana', 4),
    denied('tom', 5),
    denied('eva', 6),
  ],
});
scenario.tenants[0]?.apps?.push({
  clientId: reader.clientId,
  secrets: [{ value: reader.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
  grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All', 'MailboxSettings.Read'],
});
const running = useRunningStack(scenario);

async function check(connectionId: string, addresses: readonly string[]): Promise<Row[]> {
  const started = await running.muster.imports.start(
    connectionId,
    addresses.map((address) => ({ address })),
  );
  const { counts } = await running.untilEnded(started.id, 30_000);
  expect(counts.accepted).toBe(counts.passed + counts.failed);
  return running.allRows(started.id);
}

async function checkAgain(connectionId: string, address: string): Promise<void> {
  const path = `/v1/connections/${connectionId}/mailboxes/${address}/check`;
  const { id } = await running.owner.expect<{ id: string }>(202, 'POST', path);
  const isDone = async () => {
    expect(await running.owner.expect(200, 'GET', `/v1/mailbox-actions/${id}`)).toMatchObject({ status: 'completed' });
  };
  await vi.waitFor(isDone, { timeout: 30_000, interval: 200 });
}

const slotsUsed = async () => (await running.muster.me()).slotsUsed ?? Number.NaN;
const namesOf = (name: string) => [at(`${name}.signin`), at(`${name}.alias`), at(name)];

/** What has happened to mailboxes of the tenant, by their ID at the beginning. */
const changes = new Map<string, object>();
function changeMailboxes(more: Record<string, object>) {
  for (const [id, change] of Object.entries(more)) changes.set(id, { fault: null, ...change });
  return running.changeTenant(({ mailboxes = [] }) => {
    for (const mailbox of mailboxes) Object.assign(mailbox, changes.get(mailbox.id ?? ''));
  });
}

it('without a directory, sign-in name, alias and primary address of one person take one slot, and the others say whose they are', async () => {
  const { id } = await running.connect();
  const inOneFile = await check(id, namesOf('jane'));
  const [holder] = inOneFile.filter(({ state }) => state === 'passed');
  const others = inOneFile.filter(({ state }) => state === 'failed');
  expect([holder?.state, others.length]).toEqual(['passed', 2]);
  for (const row of others) {
    expect(row).toMatchObject({ cause: 'same_mailbox', message: expect.stringContaining(holder?.address ?? '') });
  }
  expect(await slotsUsed()).toBe(1);

  const inThree = [];
  for (const name of namesOf('omar')) inThree.push(...(await check(id, [name])));
  expect(inThree.map(({ state, cause }) => cause ?? state)).toEqual(['passed', 'same_mailbox', 'same_mailbox']);
  expect(await slotsUsed()).toBe(2);
  expect(await running.muster.mailboxes.get(id, at('omar.signin'))).toMatchObject({
    status: 'active',
    identifiedBy: 'inbox',
  });
}, 90_000);

it('with a directory, a mailbox keeps its record when it is renamed, replaced or converted', async () => {
  const { id } = await running.connect(reader);
  const before = await slotsUsed();
  const rows = [];
  for (const name of namesOf('li')) rows.push(...(await check(id, [name])));
  expect(rows.map(({ state, cause }) => cause ?? state)).toEqual(['passed', 'address_is_alias', 'same_mailbox']);
  expect(await slotsUsed()).toBe(before + 1);
  expect(await running.muster.mailboxes.get(id, at('li.signin'))).toMatchObject({
    identifiedBy: 'objectId',
    objectId: guid(3),
    primaryAddress: at('li'),
    signInName: at('li.signin'),
  });

  // Renamed while it is looked after: the new name is a name of the same mailbox.
  await changeMailboxes({ [guid(3)]: { address: at('li.new'), aliases: [at('li')] } });
  expect(await check(id, [at('li.new')])).toMatchObject([
    { state: 'failed', cause: 'same_mailbox', message: expect.stringContaining(at('li.signin')) },
  ]);

  // Its own record stays, and knows the new address after its next check.
  await checkAgain(id, at('li.signin'));
  expect(await running.muster.mailboxes.get(id, at('li.signin'))).toMatchObject({
    status: 'active',
    primaryAddress: at('li.new'),
  });
  expect(await slotsUsed()).toBe(before + 1);

  const failed = await check(id, [at('ana'), at('tom'), at('eva')]);
  expect(failed.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
  await changeMailboxes({
    [guid(4)]: { address: at('ana.smith'), upn: at('ana.smith') },
    [guid(5)]: { id: guid(7) },
    [guid(6)]: { kind: 'shared' },
  });
  const fixed = await check(id, [at('ana'), at('tom'), at('eva')]);
  expect(fixed).toMatchObject([
    { state: 'passed', message: expect.stringContaining(at('ana.smith')) },
    { state: 'passed', message: expect.stringContaining('another mailbox') },
    { state: 'passed' },
  ]);
  const [ana, tom, eva] = await Promise.all(
    ['ana', 'tom', 'eva'].map((name) => running.muster.mailboxes.get(id, at(name))),
  );
  expect(ana).toMatchObject({ objectId: guid(4), primaryAddress: at('ana.smith'), kind: 'user', status: 'active' });
  expect(tom).toMatchObject({ objectId: guid(7), replacedAt: expect.any(String), status: 'active' });
  expect(eva).toMatchObject({ objectId: guid(6), kind: 'shared' });
  expect(await check(id, [at('ana.smith')])).toMatchObject([{ cause: 'same_mailbox' }]);
  expect(await slotsUsed()).toBe(before + 4);
}, 90_000);
