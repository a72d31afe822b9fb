import type { Tagged } from '../../shared/kernel/tagged.ts';
import type { Delivery } from '../../shared/webhooks/delivery.ts';
import type { DeliveryKey, DeliveryStore, OpenDelivery } from '../../shared/webhooks/delivery-store.ts';
import { pageOf } from './page-of.ts';

interface InMemoryDeliveries extends DeliveryStore {
  everything(): Delivery[];
  pointers(): OpenDelivery[];
}

/** The log of deliveries in memory. */
export function inMemoryDeliveries(): InMemoryDeliveries {
  const kept = new Map<string, Tagged<Delivery>>();
  const open = new Map<string, OpenDelivery>();
  let tags = 0;
  const keyOf = ({ customerId, webhookId, id }: DeliveryKey) => `${customerId}/${webhookId}/${id}`;
  const pointerKey = ({ watchedAt, webhookId, deliveryId }: OpenDelivery) =>
    `${watchedAt.toISOString()}/${webhookId}/${deliveryId}`;
  const put = (delivery: Delivery) => {
    const tag = `tag-${++tags}`;
    kept.set(keyOf(delivery), { value: structuredClone(delivery), tag });
    return tag;
  };
  const everything = () =>
    [...kept.values()].map(({ value }) => structuredClone(value)).sort((a, b) => (a.id > b.id ? -1 : 1));
  return {
    everything,
    pointers: () => [...open.values()],
    async get(key) {
      return structuredClone(kept.get(keyOf(key)));
    },
    async list(customerId, webhookId, request, status) {
      const own = everything().filter(
        (one) =>
          one.customerId === customerId &&
          one.webhookId === webhookId &&
          (status === undefined || one.status === status),
      );
      return pageOf(own, request);
    },
    async insert(delivery) {
      if (kept.has(keyOf(delivery))) return false;
      put(delivery);
      return true;
    },
    async update(delivery, tag) {
      return kept.get(keyOf(delivery))?.tag === tag ? put(delivery) : undefined;
    },
    async remove(key) {
      kept.delete(keyOf(key));
    },
    async purge(customerId, webhookId) {
      for (const [key, { value }] of kept) {
        if (value.customerId === customerId && value.webhookId === webhookId) kept.delete(key);
      }
    },
    async removeOld(before, max) {
      let removed = 0;
      const counts = new Map<string, number>();
      for (const delivery of everything()) {
        const count = counts.get(delivery.webhookId) ?? 0;
        if (delivery.status !== 'pending' && (delivery.createdAt < before || count >= max)) {
          kept.delete(keyOf(delivery));
          removed++;
        } else counts.set(delivery.webhookId, count + 1);
      }
      return removed;
    },
    async openPointer(pointer) {
      open.set(pointerKey(pointer), structuredClone(pointer));
    },
    async closePointer(pointer) {
      open.delete(pointerKey(pointer));
    },
    async listOpen(until, limit) {
      return [...open.values()]
        .filter(({ watchedAt }) => watchedAt <= until)
        .sort((a, b) => (pointerKey(a) < pointerKey(b) ? -1 : 1))
        .slice(0, limit);
    },
  };
}
