import type { Delivery } from './queue-message.ts';

/** Runs the function for one delivery; rejects when it failed. */
export type RunDelivery = (delivery: Delivery) => Promise<void>;

/**
 * For end-to-end tests (`MUSTER_HOST_DELIVER_TWICE=1`): hands every message over twice, because at-least-once means
 * that one day the platform will. The second delivery is counted as one (`dequeueCount` + 1) and decides the message's
 * fate, as the newer pop receipt would. Every other message is delivered both times at once, like a lease that was
 * lost half-way; the rest a second time after the first has ended and before the message is deleted, like a delete
 * that never arrived. A message at `maxDequeueCount` gets no second delivery: none would be run.
 */
export function deliveringTwice(run: RunDelivery, maxDequeueCount: number): RunDelivery {
  let count = 0;
  return async (delivery) => {
    const again = { ...delivery, dequeueCount: delivery.dequeueCount + 1 };
    if (again.dequeueCount > maxDequeueCount) return await run(delivery);
    const first = run(delivery).catch(() => undefined);
    if (count++ % 2 === 1) await first;
    const second = await run(again).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await first;
    if (second) throw second.error;
  };
}
