import { describe, expect, it } from 'vitest';
import { changeConnection } from '../../shared/connections/change-connection.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { aConnection, RECORDS_NOW } from '../support/records.ts';

let serial = 0;

/** A connection of a tenant of its own, newer than the ones before it. */
function nextConnection(customerId: string, change: Partial<Connection> = {}): Connection {
  const number = String(++serial).padStart(4, '0');
  const tenantId = `5a1c6f3e-0b7d-4e29-9c84-00000000${number}`;
  return aConnection({ id: `conn_01${number}`, customerId, tenantId, ...change });
}

/** Removes a connection as a deletion does. */
async function remove(store: ConnectionStore, { customerId, id }: { customerId: string; id: string }): Promise<void> {
  const found = await store.get(customerId, id);
  if (found) await store.hide(found.value, found.tag, RECORDS_NOW);
  await store.removeHidden(customerId, id);
}

/** What every ConnectionStore promises. Runs against the fake and against Table Storage. */
export function describeConnectionStore(name: string, create: () => ConnectionStore): void {
  describe(`ConnectionStore: ${name}`, () => {
    const newCustomer = () => `cust_contract${++serial}`;

    it('returns what was inserted, to its customer only', async () => {
      const store = create();
      const finding = { cause: 'secret_expired' as const, detail: 'Over.', seenAt: new Date('2026-06-02T00:00:00Z') };
      const connection = nextConnection(newCustomer(), {
        finding,
        defaultMailbox: 'jane@contoso.example',
        verifiedDomains: ['contoso.example', 'contoso.onmicrosoft.example'],
      });
      await store.insert(connection);
      expect((await store.get(connection.customerId, connection.id))?.value).toEqual(connection);
      expect(await store.get(newCustomer(), connection.id)).toBeUndefined();
      expect((await store.list(newCustomer(), { limit: 10 })).items).toEqual([]);
    });

    it('lists newest first, in pages', async () => {
      const store = create();
      const customerId = newCustomer();
      const all = [nextConnection(customerId), nextConnection(customerId), nextConnection(customerId)];
      for (const connection of all) await store.insert(connection);
      const first = await store.list(customerId, { limit: 2 });
      const rest = await store.list(customerId, {
        limit: 2,
        ...(first.cursor !== undefined && { cursor: first.cursor }),
      });
      expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
      expect(rest.cursor).toBeUndefined();
    });

    it('holds the quota exactly, however many connections are registered at the same time', async () => {
      const store = create();
      const customerId = newCustomer();
      const all = Array.from({ length: 8 }, () => nextConnection(customerId));
      const results = await Promise.allSettled(all.map((connection) => store.insert(connection, 3)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      const kept = (await store.list(customerId, { limit: 10 })).items;
      expect(kept).toHaveLength(3);
      const quota = { code: 'quota_reached', members: { limit: 3 } };
      await expect(store.insert(nextConnection(customerId), 3)).rejects.toMatchObject(quota);
      await store.insert(nextConnection(newCustomer()), 3);
      await remove(store, { customerId, id: kept[0]?.id ?? '' });
      await store.insert(nextConnection(customerId), 3);
      await expect(store.insert(nextConnection(customerId), 3)).rejects.toMatchObject(quota);
    });

    it('refuses the same tenant with the same app twice, until the first is removed', async () => {
      const store = create();
      const first = nextConnection(newCustomer());
      const again = { ...first, id: `${first.id}again` };
      await store.insert(first);
      await expect(store.insert(again)).rejects.toMatchObject({ code: 'conflict' });
      await remove(store, first);
      await remove(store, first);
      await store.insert(again);
    });

    it('keeps the first of two inserts with the same ID, and resolves to it', async () => {
      const store = create();
      const connection = nextConnection(newCustomer());
      expect(await store.insert(connection)).toEqual(connection);
      expect(await store.insert({ ...connection, name: 'second' })).toEqual(connection);
    });

    it('updates only the version that was read, and returns the new tag', async () => {
      const store = create();
      const connection = nextConnection(newCustomer());
      await store.insert(connection);
      const tag = (await store.get(connection.customerId, connection.id))?.tag ?? '';
      const next = await store.update({ ...connection, name: 'first' }, tag);
      expect(next).toEqual(expect.any(String));
      expect(await store.update({ ...connection, name: 'second' }, tag)).toBeUndefined();
      expect(await store.get(connection.customerId, connection.id)).toEqual({
        value: { ...connection, name: 'first' },
        tag: next,
      });
      await remove(store, connection);
      expect(await store.update(connection, next ?? '')).toBeUndefined();
    });

    it('replaces the whole record: fields that are left out are gone', async () => {
      const store = create();
      const { defaultMailbox: _removed, ...rest } = nextConnection(newCustomer(), {
        defaultMailbox: 'a@contoso.example',
      });
      await store.insert({ ...rest, defaultMailbox: 'a@contoso.example' });
      const tag = (await store.get(rest.customerId, rest.id))?.tag ?? '';
      await store.update(rest, tag);
      expect((await store.get(rest.customerId, rest.id))?.value).toEqual(rest);
    });

    it('moves a connection to another app, unless another one has it, and frees the former app', async () => {
      const store = create();
      const first = nextConnection(newCustomer());
      const second = { ...first, id: `${first.id}b`, clientId: '00000000-0000-4000-8000-00000000abcd' };
      await store.insert(first);
      await store.insert(second);
      const tag = (await store.get(first.customerId, first.id))?.tag ?? '';
      const taken = store.updateApp({ ...first, clientId: second.clientId }, tag, first.clientId);
      await expect(taken).rejects.toMatchObject({ code: 'conflict' });
      const moved = { ...first, clientId: '00000000-0000-4000-8000-00000000dcba' };
      const next = await store.updateApp(moved, tag, first.clientId);
      expect(await store.get(first.customerId, first.id)).toEqual({ value: moved, tag: next });
      expect(await store.updateApp(first, tag, moved.clientId)).toBeUndefined();
      await store.insert({ ...first, id: `${first.id}c` });
    });

    it('hides a connection: nothing finds, counts or changes it, and its tenant can be registered again', async () => {
      const store = create();
      const connection = nextConnection(newCustomer());
      const { customerId, id } = connection;
      await store.insert(connection, 1);
      const older = (await store.get(customerId, id))?.tag ?? '';
      const tag = (await store.update(connection, older)) ?? '';
      const dueAt = new Date('2026-06-02T00:00:00Z');
      expect(await store.hide(connection, older, dueAt)).toBe(false);
      expect(await store.get(customerId, id)).toBeDefined();
      expect(await store.hide(connection, tag, dueAt)).toBe(true);
      expect(await store.hide(connection, tag, dueAt)).toBe(false);

      expect(await store.get(customerId, id)).toBeUndefined();
      expect((await store.list(customerId, { limit: 10 })).items).toEqual([]);
      const all = await Array.fromAsync(store.listAll());
      expect(all.filter((one) => one.id === id)).toEqual([]);
      expect(await store.update(connection, tag)).toBeUndefined();
      const again = { ...connection, id: `${id}again` };
      await store.insert(again, 1);

      expect(await store.getHidden(customerId, id)).toEqual(connection);
      expect(await store.getHidden(newCustomer(), id)).toBeUndefined();
      const deletions = async () => (await store.listDeletions()).filter(({ connectionId }) => connectionId === id);
      expect(await deletions()).toEqual([{ customerId, connectionId: id, dueAt }]);
      const later = new Date('2026-06-03T00:00:00Z');
      await store.noteDeletion({ customerId, connectionId: id, dueAt: later });
      expect(await deletions()).toEqual([{ customerId, connectionId: id, dueAt: later }]);
      await store.forgetDeletion(id);
      expect(await deletions()).toEqual([]);
      expect(await store.getHidden(customerId, id)).toEqual(connection);
      await store.noteDeletion({ customerId, connectionId: id, dueAt: later });
      await store.removeHidden(customerId, id);
      await store.removeHidden(customerId, id);
      expect(await store.getHidden(customerId, id)).toBeUndefined();
      expect(await deletions()).toEqual([]);
      expect(await store.get(customerId, again.id)).toBeDefined();
    });

    it('purges everything of a customer, hidden connections and deletions included', async () => {
      const store = create();
      const customerId = newCustomer();
      const [kept, hidden] = [nextConnection(customerId), nextConnection(customerId)];
      await store.insert(kept);
      await store.insert(hidden);
      await store.hide(hidden, (await store.get(customerId, hidden.id))?.tag ?? '', RECORDS_NOW);
      await store.purge(customerId);
      expect(await store.get(customerId, kept.id)).toBeUndefined();
      expect(await store.getHidden(customerId, hidden.id)).toBeUndefined();
      expect((await store.listDeletions()).filter((one) => one.customerId === customerId)).toEqual([]);
    });

    it('loses no change if many callers change it at the same time', async () => {
      const store = create();
      const connection = nextConnection(newCustomer(), { name: 'a' });
      await store.insert(connection);
      const append = (letter: string) =>
        changeConnection(store, connection.customerId, connection.id, (current) => ({
          ...current,
          name: current.name + letter,
        }));
      await Promise.all([...'bcdefgh'].map(append));
      const name = (await store.get(connection.customerId, connection.id))?.value.name ?? '';
      expect([...name].sort().join('')).toBe('abcdefgh');
    });

    it('lists the connections of all customers for timers', async () => {
      const store = create();
      const one = nextConnection(newCustomer());
      const other = nextConnection(newCustomer());
      await store.insert(one);
      await store.insert(other);
      const ids: string[] = [];
      for await (const { id } of store.listAll()) ids.push(id);
      expect(ids).toEqual(expect.arrayContaining([one.id, other.id]));
    });
  });
}
