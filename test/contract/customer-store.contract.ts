import { beforeEach, describe, expect, it } from 'vitest';
import { changeCustomer } from '../../shared/customers/change-customer.ts';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { aCustomer, RECORDS_NOW } from '../support/records.ts';

const customer = (id: string) => aCustomer({ id, name: `Næme of "${id}"` });

/**
 * What every CustomerStore promises. Runs against the fake and against Table Storage. Needs storage of its own, because it
 * removes all customers.
 */
export function describeCustomerStore(name: string, create: () => CustomerStore): void {
  describe(`CustomerStore: ${name}`, () => {
    let store: CustomerStore;
    beforeEach(async () => {
      store = create();
      for (const one of [...(await store.list({ limit: 500 })).items, ...(await store.listDeleting())]) {
        await store.remove(one.id);
      }
    });

    it('returns what was inserted', async () => {
      await store.insert(customer('cust_1'));
      expect((await store.get('cust_1'))?.value).toEqual(customer('cust_1'));
      expect(await store.exists('cust_1')).toBe(true);
      expect(await store.get('cust_2')).toBeUndefined();
      expect(await store.exists('cust_2')).toBe(false);
    });

    it('keeps the first of two inserts with the same ID, and resolves to it', async () => {
      expect(await store.insert(customer('cust_1'))).toEqual(customer('cust_1'));
      expect(await store.insert({ ...customer('cust_1'), name: 'second' })).toEqual(customer('cust_1'));
    });

    it('accepts any ID that a caller may invent', async () => {
      for (const id of ['', 'a/b', '..', "o'hara", '%2F', '\u0000', '\ud800', 'x'.repeat(400)]) {
        expect(await store.exists(id), JSON.stringify(id)).toBe(false);
      }
    });

    it('updates only the version that was read, and returns the new tag', async () => {
      await store.insert(customer('cust_1'));
      const first = await store.get('cust_1');
      const second = await store.update({ ...customer('cust_1'), name: 'second' }, first?.tag ?? '');
      expect(second).toEqual(expect.any(String));
      expect(await store.update({ ...customer('cust_1'), name: 'third' }, first?.tag ?? '')).toBeUndefined();
      expect(await store.get('cust_1')).toEqual({ value: { ...customer('cust_1'), name: 'second' }, tag: second });
      await store.remove('cust_1');
      await store.remove('cust_1');
      expect(await store.update(customer('cust_1'), second ?? '')).toBeUndefined();
    });

    it('loses no change if many callers change it at the same time', async () => {
      await store.insert({ ...customer('cust_1'), name: 'a' });
      const append = (letter: string) =>
        changeCustomer(store, 'cust_1', (current) => ({ ...current, name: current.name + letter }));
      await Promise.all([...'bcdefgh'].map(append));
      const name = (await store.get('cust_1'))?.value.name ?? '';
      expect([...name].sort().join('')).toBe('abcdefgh');
    });

    it('lists in order, in pages, up to the last one', async () => {
      for (const id of ['cust_3', 'cust_1', 'cust_5', 'cust_4', 'cust_2']) await store.insert(customer(id));
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list({ limit: 2, ...(cursor !== undefined && { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(ids).toEqual(['cust_1', 'cust_2', 'cust_3', 'cust_4', 'cust_5']);
      expect(await store.list({ limit: 5 }).then((page) => page.items.length)).toBe(5);
    });

    it('hides a customer that is being deleted from lists', async () => {
      for (const id of ['cust_1', 'cust_2']) await store.insert(customer(id));
      const found = await store.get('cust_1');
      await store.update({ ...customer('cust_1'), deletingSince: RECORDS_NOW }, found?.tag ?? '');
      expect(await store.exists('cust_1')).toBe(false);
      expect((await store.get('cust_1'))?.value.deletingSince).toEqual(RECORDS_NOW);
      expect((await store.list({ limit: 5 })).items.map(({ id }) => id)).toEqual(['cust_2']);
      expect((await store.listDeleting()).map(({ id }) => id)).toEqual(['cust_1']);
    });
  });
}
