import type { EventType } from './event-types.ts';

export const webhookStatuses = ['enabled', 'disabled'] as const;
type WebhookStatus = (typeof webhookStatuses)[number];

/**
 * Why a webhook is disabled: the customer has disabled it, the receiver has answered 410 Gone, or deliveries have failed
 * for days.
 */
export const disabledReasons = ['byCustomer', 'gone', 'failing'] as const;
type DisabledReason = (typeof disabledReasons)[number];

/** A secret that a rotation has replaced. */
export interface PreviousSecret {
  version: string;
  endsAt: Date;
}

/** Where a customer wants to receive which events. */
export interface Webhook {
  id: string;
  customerId: string;
  url: string;
  events: EventType[];
  description?: string;
  status: WebhookStatus;
  disabledReason?: DisabledReason;
  disabledAt?: Date;
  /** The first failure since the last success. Absent while deliveries succeed. */
  failingSince?: Date;
  /** Which of the webhook's secrets in the vault signs. */
  secretVersion: string;
  /** Versions from before rotations. Each signs as well until it ends. */
  previousSecrets?: readonly PreviousSecret[];
  createdAt: Date;
}
