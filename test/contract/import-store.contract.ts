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
      const columns = { used: { address: 'email' }, ignored: ['Team'], hasHeader: true, encoding: 'utf-8' } as const;
      const record = nextImport(newCustomer(), {
        finding: { code: 'x', detail: 'y', seenAt: NOW },
        columns: { ...columns, ignored: [...columns.ignored] },
        findingCounts: { foreign_domain: 3 },
        uploadExpiresAt: NOW,
        rowsExpireAt: NOW,
        rowsRemovedAt: NOW,
        startedBy: 'claim_1',
      });
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

    it('lists actions apart from imports, and finds both by their pointers', async () => {
      const store = open();
      const customerId = newCustomer();
      const target = { address: 'jane@contoso.example', tag: 'W/"1"' };
      const action = anImport({ id: 'act_0000000000002', customerId, action: 'check', target });
      for (const record of [action, anImport({ id: 'imp_0000000000001', customerId })]) {
        await store.insert(record);
        const { id: importId, connectionId } = record;
        await store.openPointer({ importId, customerId, connectionId, openedAt: NOW }, 5);
      }
      expect((await store.list(customerId, 'conn_1', { limit: 5 })).items.map(({ id }) => id)).toEqual([
        'imp_0000000000001',
      ]);
      expect((await store.list(customerId, 'conn_1', { limit: 5 }, 'actions')).items).toEqual([action]);
      const pointers = (await store.listOpen(customerId)).map(({ importId }) => importId);
      expect(pointers.sort()).toEqual(['act_0000000000002', 'imp_0000000000001']);
      await store.purge(customerId, 'conn_1');
      expect((await store.list(customerId, 'conn_1', { limit: 5 }, 'actions')).items).toEqual([]);
      for (const importId of pointers) await store.closePointer(importId);
    });

    it('lists the actions of a customer apart from those of the timer, in pages', async () => {
      const store = open();
      const customerId = newCustomer();
      const action = (id: number, change: Partial<Import> = {}) =>
        anImport({ id: `act_000000000010${id}`, customerId, action: 'check', ...change });
      const [own, timed] = [[action(1), action(3)], [2, 4, 5].map((id) => action(id, { isReverification: true }))];
      for (const record of [...own, ...timed]) await store.insert(record);
      const list = async (actionsOf: 'customer' | 'schedule') => {
        const request = { limit: 2 };
        const first = await store.list(customerId, 'conn_1', request, { actionsOf });
        const { cursor } = first;
        const rest = cursor
          ? await store.list(customerId, 'conn_1', { ...request, cursor }, { actionsOf })
          : { items: [] };
        return [...first.items, ...rest.items];
      };
      expect(await list('customer')).toEqual(own.toReversed());
      expect(await list('schedule')).toEqual(timed.toReversed());
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
      const own = await store.listOpen(customerId);
      expect(own).toEqual((await store.listOpen()).filter((pointer) => pointer.customerId === customerId));
      expect(own).toHaveLength(3);
      for (const { importId } of own) await store.closePointer(importId);
    });

    describe('the quota of unchecked rows', () => {
      const full = { code: 'quota_reached', members: { limit: 100 } };
      const insert = (store: ImportStore, record: Import, unchecked = record.quotaRows) =>
        store.insert(record, { unchecked, max: 100 });

      it('lets imports in until it is full, exactly, however many come at the same time', async () => {
        const store = open();
        const customerId = newCustomer();
        const records = Array.from({ length: 8 }, () => nextImport(customerId, { quotaRows: 30 }));
        const results = await Promise.allSettled(records.map((record) => insert(store, record)));
        const refused = results.filter((result) => result.status === 'rejected');
        expect(refused.map(({ reason }) => reason)).toMatchObject(Array(5).fill(full));
        expect((await store.list(customerId, 'conn_1', { limit: 9 })).items).toHaveLength(3);
        await insert(store, nextImport(newCustomer(), { quotaRows: 30 }));
        // Ten are left. All rows of a running import count, but only its unchecked ones must fit.
        await insert(store, nextImport(customerId, { quotaRows: 1_000 }), 10);
        await expect(insert(store, nextImport(customerId, { quotaRows: 1 }))).rejects.toMatchObject(full);
      });

      it('counts an import once, also if its insert is repeated', async () => {
        const store = open();
        const record = nextImport(newCustomer(), { quotaRows: 60 });
        await insert(store, record);
        expect(await insert(store, record, 0)).toEqual(record);
        await insert(store, nextImport(record.customerId, { quotaRows: 40 }));
      });

      it('counts what is left of an import that has ended, also if that is told twice', async () => {
        const store = open();
        const record = nextImport(newCustomer(), { quotaRows: 100 });
        await insert(store, record);
        await Promise.all([1, 2].map(() => store.recount(record.customerId, record.id, 20)));
        expect((await store.get(record.customerId, record.id))?.value).toEqual({ ...record, quotaRows: 20 });
        const [fits, doesNot] = [80, 1].map((quotaRows) => nextImport(record.customerId, { quotaRows }));
        if (!fits || !doesNot) throw new Error('no imports');
        await insert(store, fits);
        await expect(insert(store, doesNot)).rejects.toMatchObject(full);
        await store.recount(record.customerId, nextImport('x').id, 5);
      });

      it('gives back the rows of a purged connection, and only those', async () => {
        const store = open();
        const customerId = newCustomer();
        const many = Array.from({ length: 102 }, (_, i) => nextImport(customerId, { quotaRows: i < 3 ? 20 : 0 }));
        for (const record of many) await insert(store, record);
        await insert(store, nextImport(customerId, { connectionId: 'conn_2', quotaRows: 40 }));
        await Promise.all([store.purge(customerId, 'conn_1'), store.purge(customerId, 'conn_1')]);
        await insert(store, nextImport(customerId, { quotaRows: 60 }));
        await expect(insert(store, nextImport(customerId, { quotaRows: 1 }))).rejects.toMatchObject(full);
        await store.purgeCustomer(customerId);
        await insert(store, nextImport(customerId, { quotaRows: 100 }));
      });
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
