import { beforeEach, describe, expect, it } from 'vitest';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';

const at = new Date('2026-06-01T00:00:00Z');
const customer = (id: string) => ({ id, name: `Næme of "${id}"`, createdAt: at });

/** What every CustomerStore promises. Run against the fake and against Table Storage alike; on its own storage. */
export function describeCustomerStore(name: string, create: () => CustomerStore): void {
  describe(`CustomerStore: ${name}`, () => {
    let store: CustomerStore;
    beforeEach(async () => {
      store = create();
      for (const one of [...(await store.list({ limit: 500 })).items, ...(await store.listDeleting())]) {
        await store.remove(one.id);
      }
    });

    it('gives back what was put in', async () => {
      await store.insert(customer('cust_1'));
      expect((await store.get('cust_1'))?.value).toEqual(customer('cust_1'));
      expect(await store.exists('cust_1')).toBe(true);
      expect(await store.get('cust_2')).toBeUndefined();
      expect(await store.exists('cust_2')).toBe(false);
    });

    it('takes any id that a caller may make up', async () => {
      for (const id of ['', 'a/b', '..', "o'hara", '%2F', '\u0000', '\ud800', 'x'.repeat(400)]) {
        expect(await store.exists(id), JSON.stringify(id)).toBe(false);
      }
    });

    it('writes only over what was read', async () => {
      await store.insert(customer('cust_1'));
      const first = await store.get('cust_1');
      expect(await store.update({ ...customer('cust_1'), name: 'second' }, first?.tag ?? '')).toBe(true);
      expect(await store.update({ ...customer('cust_1'), name: 'third' }, first?.tag ?? '')).toBe(false);
      expect((await store.get('cust_1'))?.value.name).toBe('second');
      await store.remove('cust_1');
      await store.remove('cust_1');
      expect(await store.update(customer('cust_1'), first?.tag ?? '')).toBe(false);
    });

    it('lists page by page, in order, and ends', async () => {
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

    it('keeps one that is being deleted apart', async () => {
      for (const id of ['cust_1', 'cust_2']) await store.insert(customer(id));
      const found = await store.get('cust_1');
      await store.update({ ...customer('cust_1'), deletingSince: at }, found?.tag ?? '');
      expect(await store.exists('cust_1')).toBe(false);
      expect((await store.get('cust_1'))?.value.deletingSince).toEqual(at);
      expect((await store.list({ limit: 5 })).items.map(({ id }) => id)).toEqual(['cust_2']);
      expect((await store.listDeleting()).map(({ id }) => id)).toEqual(['cust_1']);
    });
  });
}
