import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../shared/webhooks/delivery.ts';
import type { DeliveryStore } from '../../shared/webhooks/delivery-store.ts';
import { RECORDS_NOW } from '../support/records.ts';
import { aDelivery } from '../support/webhook-records.ts';

let serial = 0;
const later = (seconds: number) => new Date(RECORDS_NOW.getTime() + seconds * 1000);

/** What every DeliveryStore promises. Runs against the fake and against Table Storage. */
export function describeDeliveryStore(name: string, create: () => DeliveryStore): void {
  describe(`DeliveryStore: ${name}`, () => {
    let store: DeliveryStore;
    let customerId: string;
    let webhookId: string;
    beforeEach(() => {
      store = create();
      customerId = `cust_d${++serial}`;
      webhookId = `hook_d${serial}`;
    });
    const ours = (id: string, more: Partial<Delivery> = {}) => aDelivery({ customerId, webhookId, id, ...more });
    const ids = async (...args: Parameters<DeliveryStore['list']>) =>
      (await store.list(...args)).items.map(({ id }) => id);

    it('returns what was inserted, and inserts once', async () => {
      const full = ours('evt_1', {
        attempts: [{ startedAt: later(1), result: 'refused', durationMs: 12, httpStatus: 500, detail: 'no' }],
        attemptCount: 1,
        roundAttempts: 1,
        nextAttemptAt: later(9),
        attemptEndsBy: later(30),
        watchedAt: later(120),
      });
      expect(await store.insert(full)).toBe(true);
      expect(await store.insert(ours('evt_1'))).toBe(false);
      expect((await store.get(full))?.value).toEqual(full);
      expect(await store.get({ ...full, customerId: 'cust_other' })).toBeUndefined();
      expect(await store.get({ ...full, webhookId: 'hook_other' })).toBeUndefined();
    });

    it('lists the deliveries of one webhook, newest first, by status', async () => {
      for (const id of ['evt_1', 'evt_3', 'evt_2']) {
        await store.insert(ours(id, { status: id === 'evt_2' ? 'failed' : 'succeeded' }));
      }
      await store.insert(ours('evt_4', { webhookId: `${webhookId}0` }));
      expect(await ids(customerId, webhookId, { limit: 9 })).toEqual(['evt_3', 'evt_2', 'evt_1']);
      expect(await ids(customerId, webhookId, { limit: 9 }, 'failed')).toEqual(['evt_2']);
      const { cursor = '' } = await store.list(customerId, webhookId, { limit: 2 });
      expect(await ids(customerId, webhookId, { limit: 2, cursor })).toEqual(['evt_1']);
    });

    it('updates a delivery only while it is as it was read', async () => {
      const delivery = ours('evt_1', { nextAttemptAt: later(1) });
      await store.insert(delivery);
      const { tag = '' } = (await store.get(delivery)) ?? {};
      const ended = ours('evt_1', { status: 'succeeded' });
      expect(await store.update(ended, tag)).toEqual(expect.any(String));
      expect(await store.update(delivery, tag)).toBeUndefined();
      expect((await store.get(delivery))?.value).toEqual(ended);
      for (let i = 0; i < 2; i++) await store.remove(delivery);
      expect(await store.get(delivery)).toBeUndefined();
    });

    it('removes the deliveries of one webhook', async () => {
      await store.insert(ours('evt_1'));
      await store.insert(ours('evt_1', { webhookId: `${webhookId}0` }));
      for (let i = 0; i < 2; i++) await store.purge(customerId, webhookId);
      expect(await ids(customerId, webhookId, { limit: 9 })).toEqual([]);
      expect(await ids(customerId, `${webhookId}0`, { limit: 9 })).toEqual(['evt_1']);
    });

    it('removes old deliveries and those over the limit, and never a pending one', async () => {
      const add = (id: string, createdAt: Date, status: Delivery['status'] = 'succeeded') =>
        store.insert(ours(id, { createdAt, status }));
      await add('evt_1', later(-90));
      await add('evt_2', later(-90), 'pending');
      for (const i of [3, 4, 5]) await add(`evt_${i}`, later(i));
      await store.removeOld(later(-60), 2);
      expect(await ids(customerId, webhookId, { limit: 9 })).toEqual(['evt_5', 'evt_4', 'evt_2']);
    });

    it('lists the pointers that are due, oldest first', async () => {
      const pointer = (deliveryId: string, seconds: number) => {
        const watchedAt = new Date(Date.UTC(2020, 0, 1, 0, serial, seconds));
        return { customerId, webhookId, deliveryId, watchedAt };
      };
      const pointers = [pointer('evt_2', 2), pointer('evt_1', 1), pointer('evt_3', 3)] as const;
      for (const one of [...pointers, pointers[0]]) await store.openPointer(one);
      const open = async (limit = 999) =>
        (await store.listOpen(pointers[0].watchedAt, limit)).filter((one) => one.webhookId === webhookId);
      expect(await open()).toEqual([pointers[1], pointers[0]]);
      for (let i = 0; i < 2; i++) await store.closePointer(pointers[1]);
      expect(await open()).toEqual([pointers[0]]);
      for (const one of pointers) await store.closePointer(one);
      expect(await open()).toEqual([]);
    });
  });
}
