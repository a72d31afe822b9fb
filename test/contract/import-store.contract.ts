import { describe, expect, it } from 'vitest';
import type { Import } from '../../shared/imports/import.ts';
import { changeImport, type ImportStore } from '../../shared/imports/import-store.ts';
import { anImport, RECORDS_NOW as NOW } from '../support/records.ts';

let serial = 0;

/** An import that is newer than the ones before it, with a batch and a lease. */
const nextImport = (customerId: string, change: Partial<Import> = {}): Import =>
  anImport({
    id: `imp_01${String(++serial).padStart(5, '0')}`,
    customerId,
    cursor: 12,
    dispatched: 10,
    batches: [{ from: 2, to: 12, sentAt: NOW, handedOutAt: NOW, isReturned: true }],
    lease: { holder: 'p.1', until: NOW },
    ...change,
  });

/** What every ImportStore promises. Runs against the fake and against Table Storage. */
export function describeImportStore(name: string, open: () => ImportStore): void {
  describe(`ImportStore: ${name}`, () => {
    const newCustomer = () => `cust_imports${++serial}`;

    it('returns what was inserted, to its customer only', async () => {
      const store = open();
      const record = nextImport(newCustomer(), { finding: { code: 'x', detail: 'y', seenAt: NOW } });
      await store.insert(record);
      expect((await store.get(record.customerId, record.id))?.value).toEqual(record);
      expect(await store.get(newCustomer(), record.id)).toBeUndefined();
    });

    it('keeps the first of two inserts with the same ID, and resolves to it', async () => {
      const store = open();
      const record = nextImport(newCustomer());
      expect(await store.insert(record)).toEqual(record);
      expect(await store.insert({ ...record, epoch: 7 })).toEqual(record);
      expect((await store.get(record.customerId, record.id))?.value).toEqual(record);
    });

    it('replaces the version that was read: fields that are left out are gone', async () => {
      const store = open();
      const record = nextImport(newCustomer());
      await store.insert(record);
      const tag = (await store.get(record.customerId, record.id))?.tag ?? '';
      const { lease: _lease, ...rest } = record;
      const next = await store.update({ ...rest, epoch: 2 }, tag);
      expect(next).toEqual(expect.any(String));
      expect(await store.update(record, tag)).toBeUndefined();
      expect(await store.get(record.customerId, record.id)).toEqual({ value: { ...rest, epoch: 2 }, tag: next });
    });

    it('loses no change if many callers change it at the same time', async () => {
      const store = open();
      const record = nextImport(newCustomer(), { epoch: 0 });
      await store.insert(record);
      const raise = () =>
        changeImport(store, record.customerId, record.id, (current) => ({ ...current, epoch: current.epoch + 1 }));
      await Promise.all(Array.from({ length: 8 }, raise));
      expect((await store.get(record.customerId, record.id))?.value.epoch).toBe(8);
    });

    it('lists the imports of one connection newest first, in pages, and purges only those', async () => {
      const store = open();
      const customerId = newCustomer();
      const all = [nextImport(customerId), nextImport(customerId), nextImport(customerId)];
      const other = nextImport(customerId, { connectionId: 'conn_2' });
      for (const record of [...all, other]) await store.insert(record);
      const first = await store.list(customerId, 'conn_1', { limit: 2 });
      const rest = await store.list(customerId, 'conn_1', {
        limit: 2,
        ...(first.cursor !== undefined && { cursor: first.cursor }),
      });
      expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(all.map(({ id }) => id).reverse());
      await store.purge(customerId, 'conn_1');
      expect((await store.list(customerId, 'conn_1', { limit: 5 })).items).toEqual([]);
      expect((await store.list(customerId, 'conn_2', { limit: 5 })).items).toHaveLength(1);
    });

    it('holds the cap on open pointers of a customer exactly, however many are opened at the same time', async () => {
      const store = open();
      const customerId = nextImport('x').id;
      const pointers = Array.from({ length: 8 }, () => ({
        importId: nextImport('x').id,
        customerId,
        connectionId: 'conn_1',
        openedAt: NOW,
      }));
      const results = await Promise.allSettled(pointers.map((pointer) => store.openPointer(pointer, 3)));
      const opened = pointers.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(opened).toHaveLength(3);
      for (const pointer of opened) await store.openPointer(pointer, 3);
      const [other] = pointers.filter((pointer) => !opened.includes(pointer));
      if (!other || !opened[0]) throw new Error('nothing was refused');
      await expect(store.openPointer(other, 3)).rejects.toMatchObject({ code: 'quota_reached', members: { limit: 3 } });
      await store.openPointer({ ...other, customerId: `${customerId}-other` }, 3);
      await store.closePointer(other.importId);
      await store.closePointer(opened[0].importId);
      await store.openPointer(other, 3);
      const own = (await store.listOpen()).filter((pointer) => pointer.customerId === customerId);
      expect(own).toHaveLength(3);
      for (const { importId } of own) await store.closePointer(importId);
    });

    it('keeps a pointer to an open import until it is closed, also twice', async () => {
      const store = open();
      const pointer = { importId: nextImport('x').id, customerId: 'x', connectionId: 'conn_1', openedAt: NOW };
      await store.openPointer(pointer);
      await store.openPointer(pointer);
      expect((await store.listOpen()).filter(({ importId }) => importId === pointer.importId)).toEqual([pointer]);
      await store.closePointer(pointer.importId);
      await store.closePointer(pointer.importId);
      expect((await store.listOpen()).filter(({ importId }) => importId === pointer.importId)).toEqual([]);
    });
  });
}
