/** What webhooks can subscribe to. These names are part of the API. */
export const eventTypes = [
  'connection.consented',
  'connection.failing',
  'import.completed',
  'import.paused',
  'mailbox.activated',
  'mailbox.failed',
  'secret.expiring',
  'secret.expired',
] as const;
export type EventType = (typeof eventTypes)[number];

/** What is delivered: every event, the answer to a ping, and by e-mail that a webhook was disabled. */
export const deliveredTypes = [...eventTypes, 'webhook.ping', 'webhook.disabled'] as const;
export type DeliveredType = (typeof deliveredTypes)[number];

/** The version of each event's schema. A change that a receiver could notice raises it. */
export const EVENT_VERSION = 1;

/** Something that has happened to a customer. */
export interface Event {
  /** `evt_…`. The same each time that this event is published, so that it is delivered once. */
  id: string;
  customerId: string;
  type: DeliveredType;
  happenedAt: Date;
  /** As its schema in `event-schemas.ts` says. */
  data: object;
}

/** The body that receivers get. The signature covers exactly these bytes, so each delivery stores them. */
export function bodyOf({ id, type, happenedAt, data }: Event): string {
  return JSON.stringify({ id, type, version: EVENT_VERSION, timestamp: happenedAt.toISOString(), data });
}
