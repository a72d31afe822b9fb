import type { Clock } from '../kernel/clock.ts';
import type { DeliveryStore } from './delivery-store.ts';

export interface RemoveOldDeliveriesDeps {
  deliveries: Pick<DeliveryStore, 'removeOld'>;
  clock: Clock;
  /** How long ended deliveries are kept. */
  deliveryLogKeptMs: number;
  /** How many ended deliveries of one webhook are kept. */
  deliveryLogMax: number;
}

/** Bounds the log of deliveries. For a timer. Resolves to how many it has removed. */
export function removeOldDeliveries(deps: RemoveOldDeliveriesDeps): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - deps.deliveryLogKeptMs);
  return deps.deliveries.removeOld(before, deps.deliveryLogMax);
}
