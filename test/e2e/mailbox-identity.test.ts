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

const namesOf = (name: string) => [at(`${name}.signin`), at(`${name}.alias`), at(name)];

async function checkOneByOne(connectionId: string, addresses: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const address of addresses) rows.push(...(await check(connectionId, [address])));
  return rows;
}

const endOf = ({ state, cause }: Row) => cause ?? state;
/** The connection of the app that may read users. */
let readerId: string;

it('sign-in name, alias and primary address of one person take one slot, and the other rows say whose they are', async () => {
  const { id } = await running.connect();
  readerId = (await running.connect(reader)).id;
  const [inOneFile, inThreeImports, withDirectory, failed] = await Promise.all([
    check(id, namesOf('jane')),
    checkOneByOne(id, namesOf('omar')),
    checkOneByOne(readerId, namesOf('li')),
    check(readerId, [at('ana'), at('tom'), at('eva')]),
  ]);

  const [holder] = inOneFile.filter(({ state }) => state === 'passed');
  const others = inOneFile.filter(({ state }) => state === 'failed');
  expect([holder?.state, others.length]).toEqual(['passed', 2]);
  for (const row of others) {
    expect(row).toMatchObject({ cause: 'same_mailbox', message: expect.stringContaining(holder?.address ?? '') });
  }
  expect(inThreeImports.map(endOf)).toEqual(['passed', 'same_mailbox', 'same_mailbox']);
  expect(await running.muster.mailboxes.get(id, at('omar.signin'))).toMatchObject({
    status: 'active',
    identifiedBy: 'inbox',
  });
  expect(withDirectory.map(endOf)).toEqual(['passed', 'address_is_alias', 'same_mailbox']);
  expect(await running.muster.mailboxes.get(readerId, at('li.signin'))).toMatchObject({
    identifiedBy: 'objectId',
    objectId: guid(3),
    primaryAddress: at('li'),
    signInName: at('li.signin'),
  });
  expect(failed.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
  expect((await running.muster.me()).slotsUsed).toBe(3);
}, 90_000);

it('a mailbox that is renamed, replaced or converted keeps its record, which says what has happened', async () => {
  await running.changeTenant(({ mailboxes = [] }) => {
    const changes: Record<string, object> = {
      [guid(3)]: { address: at('li.new'), aliases: [at('li')] },
      [guid(4)]: { fault: null, address: at('ana.smith'), upn: at('ana.smith') },
      [guid(5)]: { fault: null, id: guid(7) },
      [guid(6)]: { fault: null, kind: 'shared' },
    };
    for (const mailbox of mailboxes) Object.assign(mailbox, changes[mailbox.id ?? '']);
  });
  const [newName, fixed] = await Promise.all([
    check(readerId, [at('li.new')]),
    check(readerId, [at('ana'), at('tom'), at('eva')]),
    checkAgain(readerId, at('li.signin')),
  ]);
  expect(newName).toMatchObject([
    { state: 'failed', cause: 'same_mailbox', message: expect.stringContaining(at('li.signin')) },
  ]);
  expect(fixed).toMatchObject([
    { state: 'passed', message: expect.stringContaining(at('ana.smith')) },
    { state: 'passed', message: expect.stringContaining('another mailbox') },
    { state: 'passed' },
  ]);
  const [li, ana, tom, eva] = await Promise.all(
    ['li.signin', 'ana', 'tom', 'eva'].map((name) => running.muster.mailboxes.get(readerId, at(name))),
  );
  expect(li).toMatchObject({ status: 'active', primaryAddress: at('li.new') });
  expect(ana).toMatchObject({ objectId: guid(4), primaryAddress: at('ana.smith'), kind: 'user', status: 'active' });
  expect(tom).toMatchObject({ objectId: guid(7), replacedAt: expect.any(String), status: 'active' });
  expect(eva).toMatchObject({ objectId: guid(6), kind: 'shared' });
  expect((await running.muster.me()).slotsUsed).toBe(6);

  // The directory knows them by their object IDs, although two are looked after under another address.
  const { directory, imports } = running.muster;
  await directory.refresh(readerId);
  const isRead = async () => expect(await directory.state(readerId)).toMatchObject({ reading: false, finding: null });
  await vi.waitFor(isRead, { timeout: 30_000, interval: 100 });
  const listed = await Array.fromAsync(directory.list(readerId, { connected: true }));
  expect(listed.map(({ address }) => address)).toEqual(['ana.smith', 'eva', 'li.new', 'tom'].map(at));
  expect(await imports.start(readerId, { select: 'allUnconnected' }, { dryRun: true })).toMatchObject({
    sample: [{ address: at('jane') }, { address: at('omar') }, expect.anything()],
  });
}, 90_000);
