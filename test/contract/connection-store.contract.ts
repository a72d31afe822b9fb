import { describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';

let serial = 0;

function connectionOf(customerId: string, change: Partial<Connection> = {}): Connection {
  const number = String(++serial).padStart(4, '0');
  return {
    id: `conn_01${number}`,
    customerId,
    name: 'Tailspin',
    cloud: 'global',
    tenantId: `5a1c6f3e-0b7d-4e29-9c84-00000000${number}`,
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    clientSecretVersion: 'v1',
    clientSecretExpiresAt: new Date('2027-01-01T00:00:00Z'),
    clientSecretState: 'valid',
    probes: ['graph.readWrite', 'graph.send'],
    sendProbe: 'noDelivery',
    status: 'awaitingConsent',
    grantsChangedAt: new Date('2026-06-01T00:00:00Z'),
    createdAt: new Date('2026-06-01T00:00:00Z'),
    ...change,
  };
}

/** What every ConnectionStore promises. */
export function describeConnectionStore(name: string, create: () => ConnectionStore): void {
  describe(`ConnectionStore: ${name}`, () => {
    const newCustomer = () => `cust_contract${++serial}`;

    it('gives back what was put in, to its customer only', async () => {
      const store = create();
      const finding = { cause: 'secret_expired' as const, detail: 'Over.', seenAt: new Date('2026-06-02T00:00:00Z') };
      const connection = connectionOf(newCustomer(), { finding, defaultMailbox: 'jane@contoso.example' });
      await store.insert(connection);
      expect((await store.get(connection.customerId, connection.id))?.value).toEqual(connection);
      expect(await store.get(newCustomer(), connection.id)).toBeUndefined();
      expect((await store.list(newCustomer(), { limit: 10 })).items).toEqual([]);
    });

    it('lists newest first, in pages', async () => {
      const store = create();
      const customerId = newCustomer();
      const all = [connectionOf(customerId), connectionOf(customerId), connectionOf(customerId)];
      for (const connection of all) await store.insert(connection);
      const first = await store.list(customerId, { limit: 2 });
      const rest = await store.list(customerId, {
        limit: 2,
        ...(first.cursor !== undefined && { cursor: first.cursor }),
      });
      expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
      expect(rest.cursor).toBeUndefined();
    });

    it('refuses the same tenant with the same app twice, until the first is removed', async () => {
      const store = create();
      const first = connectionOf(newCustomer());
      const again = { ...first, id: `${first.id}again` };
      await store.insert(first);
      await expect(store.insert(again)).rejects.toMatchObject({ code: 'conflict' });
      await store.remove(first.customerId, first.id);
      await store.remove(first.customerId, first.id);
      await store.insert(again);
    });

    it('writes only over what was read', async () => {
      const store = create();
      const connection = connectionOf(newCustomer());
      await store.insert(connection);
      const tag = (await store.get(connection.customerId, connection.id))?.tag ?? '';
      expect(await store.update({ ...connection, status: 'ready' }, tag)).toBe(true);
      expect(await store.update({ ...connection, status: 'failing' }, tag)).toBe(false);
      expect((await store.get(connection.customerId, connection.id))?.value.status).toBe('ready');
      await store.remove(connection.customerId, connection.id);
      expect(await store.update(connection, tag)).toBe(false);
    });

    it('tells timers of every customer’s', async () => {
      const store = create();
      const one = connectionOf(newCustomer());
      const other = connectionOf(newCustomer());
      await store.insert(one);
      await store.insert(other);
      const ids: string[] = [];
      for await (const { id } of store.listAll()) ids.push(id);
      expect(ids).toEqual(expect.arrayContaining([one.id, other.id]));
    });
  });
}
