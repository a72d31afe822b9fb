import type { Clock } from '../kernel/clock.ts';
import { type Delivery, FIRST_WATCH_MS } from './delivery.ts';
import { type DeliveryStore, pointerOf } from './delivery-store.ts';
import type { EventQueues } from './event-queues.ts';
import { bodyOf, type Event } from './event-types.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface PublishDeps {
  webhooks: Pick<WebhookStore, 'all'>;
  deliveries: Pick<DeliveryStore, 'insert' | 'openPointer'>;
  eventQueues: Pick<EventQueues, 'sendDelivery'>;
  clock: Clock;
}

/**
 * Begins the delivery of an event to every webhook that subscribes to it. Repeatable: the same event makes one delivery
 * for each webhook, however often it is published.
 */
export async function publishEvent(deps: PublishDeps, event: Event): Promise<void> {
  const isWanted = (webhook: Webhook) =>
    webhook.status === 'enabled' && webhook.events.some((type) => type === event.type);
  for (const webhook of (await deps.webhooks.all(event.customerId)).filter(isWanted)) {
    await beginDelivery(deps, webhook.id, event);
  }
}

/**
 * Writes a delivery and its first message. The pointer comes first, so that the sweep finds a delivery whose message is
 * lost. Resolves to the delivery, also if an earlier try has written it.
 */
export async function beginDelivery(
  deps: Omit<PublishDeps, 'webhooks'>,
  webhookId: string,
  event: Event,
): Promise<Delivery> {
  const now = deps.clock.now();
  const { id, customerId, type, happenedAt } = event;
  const delivery: Delivery = {
    id,
    customerId,
    webhookId,
    type,
    happenedAt,
    body: bodyOf(event),
    status: 'pending',
    attempts: [],
    attemptCount: 0,
    roundStartedAt: now,
    roundAttempts: 0,
    nextAttemptAt: now,
    watchedAt: new Date(now.getTime() + FIRST_WATCH_MS),
    createdAt: now,
  };
  const pointer = pointerOf(delivery);
  if (pointer) await deps.deliveries.openPointer(pointer);
  await deps.deliveries.insert(delivery);
  // If a delivery is there from an earlier try, it may lack its message. A message too many does no harm.
  await deps.eventQueues.sendDelivery({ v: 1, customerId, webhookId, deliveryId: id });
  return delivery;
}
