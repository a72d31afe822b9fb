import { expect, it } from 'vitest';
import { eachDirectoryPage, listDirectory } from '../../../shared/directory/list-directory.ts';
import { aUser, createDirectoryWorld } from '../../support/directory-world.ts';

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
