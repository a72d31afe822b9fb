import { expect, it } from 'vitest';
import { eachDirectoryPage, listDirectory } from '../../../shared/directory/list-directory.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { aUser, createDirectoryWorld } from '../../support/directory-world.ts';
import { aMailbox } from '../../support/records.ts';

it('ends a page where it is not known any more what is connected, and goes on from there', async () => {
  const world = await createDirectoryWorld();
  for (let n = 0; n < 9; n++) world.tenantUsers.put(aUser(`user${n}`));
  await world.refresh();
  await world.untilRead();
  // Storage has found so many mailboxes in between that it knows two addresses only.
  const active = { status: 'active' } as const;
  const ledger = {
    peekMailboxes: async (_connectionId: string, addresses: readonly string[]) => ({
      mailboxes: new Map(addresses.slice(0, 1).map((address) => [address, active])),
      answered: Math.min(2, addresses.length),
    }),
    peekIdentified: inMemoryLedger().peekIdentified,
  };
  const deps = { directory: world.directory, ledger };
  const page = await listDirectory(deps, world.connection.id, { limit: 5 }, {});
  expect(page.items.map(({ entry, isConnected }) => [entry.id, isConnected])).toEqual([
    ['id-user0', true],
    ['id-user1', false],
  ]);
  const all = (await Array.fromAsync(eachDirectoryPage(deps, world.connection.id, {}))).flat();
  expect(all.map(({ entry }) => entry.id)).toEqual(Array.from({ length: 9 }, (_, n) => `id-user${n}`));
  expect(await listDirectory(deps, world.connection.id, { limit: 5 }, { isConnected: false })).toMatchObject({
    items: [{ entry: { id: 'id-user1' } }],
    cursor: expect.any(String),
  });
});

const held = { slotClaimedBy: 'imp_1' };

/** A directory of users that are read, and a ledger in which each of them was found behind another address. */
async function knownUnderAnotherName(mailboxes: Readonly<Record<string, Partial<Mailbox>>>) {
  const world = await createDirectoryWorld();
  const ledger = inMemoryLedger();
  for (const [name, mailbox] of Object.entries(mailboxes)) {
    const id = `ID-${name}`;
    const address = `${name}@old.example`;
    world.tenantUsers.put(aUser(name, { id }));
    const record = {
      address,
      status: 'active',
      identity: { objectId: id },
      ...mailbox,
    } as const;
    await ledger.commit(world.connection.id, [
      { op: 'createMailbox', mailbox: aMailbox(record) },
      { op: 'writeIdentity', identity: { key: `object:${id.toLowerCase()}`, address } },
    ]);
  }
  await world.refresh();
  await world.untilRead();
  return { directory: world.directory, ledger, connectionId: world.connection.id };
}

it('knows a mailbox by its object ID, under whatever address it is looked after', async () => {
  const { connectionId, ...deps } = await knownUnderAnotherName({
    'active-under-another': held,
    disconnected: { status: 'disconnected' },
    inconclusive: { ...held, status: 'inconclusive' },
    paused: { ...held, pausedAt: new Date(0) },
    'reaches-another-mailbox-now': { ...held, identity: { objectId: 'somebody-else' } },
  });
  const { items } = await listDirectory(deps, connectionId, { limit: 10 }, {});
  expect(items.map(({ entry, isConnected }) => [entry.displayName, isConnected])).toEqual([
    ['active-under-another', true],
    ['disconnected', false],
    ['inconclusive', true],
    ['paused', true],
    ['reaches-another-mailbox-now', false],
  ]);
});

it('ends a page where it is not known any more who is connected, and loses nobody', async () => {
  const names = Array.from({ length: 9 }, (_, n) => `user${n}`);
  const { connectionId, directory, ledger } = await knownUnderAnotherName(
    Object.fromEntries(names.map((name, n) => [name, n % 2 ? held : {}])),
  );
  // Taken under its primary address, so nobody has to ask who it is.
  await ledger.commit(connectionId, [
    { op: 'createMailbox', mailbox: aMailbox({ address: 'user1@contoso.example', status: 'active' }) },
  ]);
  const asked: string[][] = [];
  const peekIdentified: typeof ledger.peekIdentified = async (id, keys, requestsMax) => {
    asked.push([...keys]);
    return { ...(await ledger.peekIdentified(id, keys.slice(0, 2), requestsMax)), answered: Math.min(2, keys.length) };
  };
  const deps = { directory, ledger: { ...ledger, peekIdentified } };
  const page = await listDirectory(deps, connectionId, { limit: 5 }, {});
  expect(page.items.map(({ entry }) => entry.displayName)).toEqual(['user0', 'user1', 'user2']);
  expect(asked).toEqual([['object:id-user0', 'object:id-user2', 'object:id-user3', 'object:id-user4']]);
  const all = (await Array.fromAsync(eachDirectoryPage(deps, connectionId, {}))).flat();
  expect(all.map(({ entry, isConnected }) => [entry.displayName, isConnected])).toEqual(
    names.map((name, n) => [name, n % 2 === 1]),
  );
});
