import pLimit from 'p-limit';
import type { Clock } from '../kernel/clock.ts';
import { FIRST_WATCH_MS } from './delivery.ts';
import { changeDelivery, type DeliveryStore, type OpenDelivery } from './delivery-store.ts';
import type { EventQueues } from './event-queues.ts';
import { NOTED_FOR_MS, type Outbox, type OutboxEntry } from './outbox.ts';

export interface SweepEventsDeps {
  outbox: Pick<Outbox, 'list'>;
  deliveries: Pick<DeliveryStore, 'get' | 'update' | 'listOpen' | 'openPointer' | 'closePointer'>;
  eventQueues: EventQueues;
  clock: Clock;
}

/** Entries and pointers in one run. The next run goes on with the others. */
const SWEPT_MAX = 1_000;
const AT_ONCE = 16;

/**
 * Sends the messages that may be lost: of what is still to be published, and of deliveries that are overdue. Resolves to
 * how many of each it has found.
 */
export async function sweepEvents(deps: SweepEventsDeps): Promise<{ unpublished: number; overdue: number }> {
  const now = deps.clock.now();
  const limit = pLimit(AT_ONCE);
  const entries = await deps.outbox.list(new Date(now.getTime() - NOTED_FOR_MS), SWEPT_MAX);
  const send = ({ customerId, source, id }: OutboxEntry) =>
    limit(() => deps.eventQueues.sendPublish({ v: 1, customerId, source, id }));
  await Promise.all(entries.map(({ value }) => send(value)));
  const pointers = await deps.deliveries.listOpen(now, SWEPT_MAX);
  await Promise.all(pointers.map((pointer) => limit(() => sendAgain(deps, pointer, now))));
  return { unpublished: entries.length, overdue: pointers.length };
}

/** Moves the pointer ahead, so that a long queue does not get another message each minute. */
async function sendAgain(deps: SweepEventsDeps, pointer: OpenDelivery, now: Date): Promise<void> {
  const { customerId, webhookId, deliveryId } = pointer;
  const key = { customerId, webhookId, id: deliveryId };
  const next = { ...pointer, watchedAt: new Date(now.getTime() + 5 * FIRST_WATCH_MS) };
  const isCurrent = (watchedAt: Date | undefined) => watchedAt?.getTime() === pointer.watchedAt.getTime();
  const found = await deps.deliveries.get(key);
  if (found?.value.status === 'pending' && isCurrent(found.value.watchedAt)) {
    await deps.deliveries.openPointer(next);
    await changeDelivery(deps.deliveries, key, (current) =>
      current.status === 'pending' && isCurrent(current.watchedAt)
        ? { ...current, watchedAt: next.watchedAt }
        : undefined,
    );
    await deps.eventQueues.sendDelivery({ v: 1, customerId, webhookId, deliveryId });
  }
  // Moved, or outdated, or of a delivery that was never written: the pointer is minutes old.
  await deps.deliveries.closePointer(pointer);
}
