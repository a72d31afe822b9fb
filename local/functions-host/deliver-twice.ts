import type { Delivery } from './queue-message.ts';

/** Runs the function for one delivery. Rejects when the function fails. */
export type RunDelivery = (delivery: Delivery) => Promise<void>;

/**
 * Delivers every message twice, or every nth, for end-to-end tests (`MUSTER_HOST_DELIVER_TWICE=n`). Queues deliver at
 * least once, so this can also happen in Azure.
 *
 * The second delivery has a higher `dequeueCount` and decides what happens to the message, because it would hold the
 * newer pop receipt. Every other repeated message is delivered both times in parallel, like after a lost lease. The rest
 * are delivered again after the first run, like after a lost delete. A message at `maxDequeueCount` is not delivered
 * again, because Azure would not do so either.
 */
export function deliverTwice(run: RunDelivery, maxDequeueCount: number, everyNth = 1): RunDelivery {
  let received = 0;
  let repeated = 0;
  return async (delivery) => {
    const secondDelivery = { ...delivery, dequeueCount: delivery.dequeueCount + 1 };
    const isRepeated = ++received % everyNth === 0 && secondDelivery.dequeueCount <= maxDequeueCount;
    if (!isRepeated) return await run(delivery);
    const first = run(delivery).catch(() => undefined);
    if (repeated++ % 2 === 1) await first;
    const second = await run(secondDelivery).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await first;
    if (second) throw second.error;
  };
}
