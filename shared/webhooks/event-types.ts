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
  'secret.checked',
] as const;
export type EventType = (typeof eventTypes)[number];

/** What is told by e-mail only: that a webhook was disabled, and nothing, to try it out. */
export const emailOnlyTypes = ['webhook.disabled', 'email.test'] as const;
type EmailOnlyType = (typeof emailOnlyTypes)[number];

/** What is delivered: every event, the answer to a ping, and what is told by e-mail only. */
export const deliveredTypes = [...eventTypes, 'webhook.ping', ...emailOnlyTypes] as const;
export type DeliveredType = (typeof deliveredTypes)[number];
/** What webhooks get. */
export type WebhookType = Exclude<DeliveredType, EmailOnlyType>;

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
