import { z } from 'zod';
import { happeningSources } from './outbox.ts';

// Only Muster writes these messages. They are still validated, so that a message of another version is noticed.

/** Asks for what has happened in one place to be published. */
export const publishMessage = z.object({
  v: z.literal(1),
  customerId: z.string(),
  source: z.enum(happeningSources),
  id: z.string(),
});
export type PublishMessage = z.infer<typeof publishMessage>;

/** Asks for one attempt of a delivery. */
export const deliveryMessage = z.object({
  v: z.literal(1),
  customerId: z.string(),
  webhookId: z.string(),
  deliveryId: z.string(),
});
export type DeliveryMessage = z.infer<typeof deliveryMessage>;

/**
 * The queues of events. A message may arrive twice and may be lost: the outbox and the log of deliveries are the truth.
 * Every call rejects with `storage_unavailable` if storage is unavailable. `delayMs` is how long the message stays
 * hidden.
 */
export interface EventQueues {
  sendPublish(message: PublishMessage, delayMs?: number): Promise<void>;
  sendDelivery(message: DeliveryMessage, delayMs?: number): Promise<void>;
}
