import { describe, expect, it } from 'vitest';
import type { Removal, RemovalSchedule } from '../../shared/imports/retention/removal-schedule.ts';

const START = Date.parse('2026-06-01T00:00:00Z');
let serial = 0;

/** What every RemovalSchedule promises. Runs against the fake and against Table Storage. */
export function describeRemovalSchedule(name: string, open: () => RemovalSchedule): void {
  describe(`RemovalSchedule: ${name}`, () => {
    const newCustomer = () => `cust_removals${++serial}`;
    const removal = (customerId: string, seconds: number, change: Partial<Removal> = {}): Removal => ({
      kind: 'upload',
      customerId,
      connectionId: 'conn_1',
      importId: `imp_${++serial}`,
      removeAt: new Date(START + seconds * 1000),
      ...change,
    });
    const due = async (store: RemovalSchedule, customerId: string, seconds: number) =>
      (await Array.fromAsync(store.eachDue(new Date(START + seconds * 1000)))).filter(
        (one) => one.customerId === customerId,
      );

    it('yields what is due, the longest overdue first', async () => {
      const store = open();
      const customerId = newCustomer();
      const [late, early, future] = [20, 10, 31].map((seconds) => removal(customerId, seconds));
      const now = removal(customerId, 30, { kind: 'rows' });
      for (const one of [late, early, future, now]) if (one) await store.put(one);
      expect(await due(store, customerId, 30)).toEqual([early, late, now]);
      expect(await due(store, customerId, 9)).toEqual([]);
    });

    it('keeps one of two that are the same, and several kinds of one import', async () => {
      const store = open();
      const customerId = newCustomer();
      const upload = removal(customerId, 1);
      const rows: Removal = { ...upload, kind: 'rows' };
      for (const one of [upload, upload, rows]) await store.put(one);
      expect(await due(store, customerId, 1)).toHaveLength(2);
      await store.remove(upload);
      await store.remove(upload);
      expect(await due(store, customerId, 1)).toEqual([rows]);
    });

    it('lets a reader remove what it reads', async () => {
      const store = open();
      const customerId = newCustomer();
      const all = Array.from({ length: 12 }, (_, i) => removal(customerId, i));
      await Promise.all(all.map((one) => store.put(one)));
      let seen = 0;
      for await (const one of store.eachDue(new Date(START + 60_000))) {
        if (one.customerId !== customerId) continue;
        seen++;
        await store.remove(one);
      }
      expect(seen).toBe(12);
      expect(await due(store, customerId, 60)).toEqual([]);
    });

    it('forgets a customer, and no other', async () => {
      const store = open();
      const [gone, kept] = [newCustomer(), newCustomer()];
      for (const customerId of [gone, gone, kept]) await store.put(removal(customerId, 1));
      await store.purge(gone);
      await store.purge(gone);
      expect(await due(store, gone, 1)).toEqual([]);
      expect(await due(store, kept, 1)).toHaveLength(1);
    });
  });
}
