import { changeTagged } from '../kernel/change-tagged.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Delivery } from './delivery.ts';

/** Identifies a delivery. */
export type DeliveryKey = Pick<Delivery, 'customerId' | 'webhookId' | 'id'>;

/** Points at a delivery that has not ended. The sweep finds it at `watchedAt`. */
export interface OpenDelivery {
  customerId: string;
  webhookId: string;
  deliveryId: string;
  watchedAt: Date;
}

/** The log of deliveries. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface DeliveryStore {
  get(key: DeliveryKey): Promise<Tagged<Delivery> | undefined>;
  /** Newest first. With `status`, a page may be short or empty and still have a cursor, see `Page`. */
  list(customerId: string, webhookId: string, page: PageRequest, status?: Delivery['status']): Promise<Page<Delivery>>;
  /** Resolves to `false` if there is such a delivery already. */
  insert(delivery: Delivery): Promise<boolean>;
  /** Resolves to the new tag, or to `undefined` if the delivery has changed since `tag` was read or is gone. */
  update(delivery: Delivery, tag: string): Promise<string | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(key: DeliveryKey): Promise<void>;
  /** Removes the deliveries of a webhook. Repeatable. */
  purge(customerId: string, webhookId: string): Promise<void>;
  /**
   * Removes ended deliveries from before this instant, and of each webhook all but the newest `max`. Resolves to their
   * number.
   */
  removeOld(before: Date, max: number): Promise<number>;

  /** Written before the delivery. Succeeds if the pointer exists. */
  openPointer(pointer: OpenDelivery): Promise<void>;
  /** Succeeds if there is no such pointer. */
  closePointer(pointer: OpenDelivery): Promise<void>;
  /** Pointers that are watched up to this instant, at most `limit` of them, oldest first. */
  listOpen(until: Date, limit: number): Promise<OpenDelivery[]>;
}

/** Changes a delivery, see `changeTagged`. */
export function changeDelivery(
  deliveries: Pick<DeliveryStore, 'get' | 'update'>,
  key: DeliveryKey,
  change: (current: Delivery) => Delivery | undefined,
): Promise<Delivery | undefined> {
  const read = () => deliveries.get(key);
  return changeTagged({ read, write: (delivery, tag) => deliveries.update(delivery, tag) }, change);
}

export function pointerOf(delivery: Delivery): OpenDelivery | undefined {
  const { customerId, webhookId, id: deliveryId, watchedAt } = delivery;
  return watchedAt && { customerId, webhookId, deliveryId, watchedAt };
}
