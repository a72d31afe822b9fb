import type { DeliveredType } from './event-types.ts';

export const deliveryStatuses = ['pending', 'succeeded', 'failed'] as const;
type DeliveryStatus = (typeof deliveryStatuses)[number];

/** What came of one attempt. */
export const attemptResults = [
  'succeeded',
  /** The receiver answered with another status than 2xx. */
  'refused',
  /** The receiver answered with a redirect. Redirects are never followed. */
  'redirected',
  /** No complete answer in time. */
  'timedOut',
  /** No connection: DNS, TCP or TLS failed. */
  'unreachable',
  /** The address is not on the public internet. */
  'targetNotAllowed',
  /** Nothing was sent, because the vault no longer has the secret. */
  'noSecret',
  /** The process that made this attempt has died. The receiver may have got the event. */
  'interrupted',
] as const;
export type AttemptResult = (typeof attemptResults)[number];

export interface Attempt {
  startedAt: Date;
  result: AttemptResult;
  durationMs?: number;
  /** The status of the receiver's answer. */
  httpStatus?: number;
  /** What failed, or how the answer begins. */
  detail?: string;
  /** Of an e-mail: who was written to, and which way has succeeded. */
  recipients?: string[];
  sentBy?: 'ownMailbox' | 'mailServer';
}

/** One event for one webhook, and how far its delivery has got. */
export interface Delivery {
  /** The ID of the event. Receivers get it as `webhook-id`. */
  id: string;
  customerId: string;
  webhookId: string;
  type: DeliveredType;
  happenedAt: Date;
  /** Exactly what is sent and signed. */
  body: string;
  status: DeliveryStatus;
  /** The latest attempts, oldest first. */
  attempts: readonly Attempt[];
  attemptCount: number;
  /** When this round of attempts began. A redelivery begins a new round. */
  roundStartedAt: Date;
  /** Attempts in this round. */
  roundAttempts: number;
  /** While it is pending: when the next attempt is due. */
  nextAttemptAt?: Date;
  /** One process makes the attempt until then. */
  attemptEndsBy?: Date;
  /** When the sweep looks whether the message of this delivery is lost. Part of its pointer's key. */
  watchedAt?: Date;
  createdAt: Date;
}

/** How long after an attempt is due the sweep looks for it. The queue is much faster, unless the message is lost. */
export const FIRST_WATCH_MS = 120_000;

/** Attempts that a delivery remembers. */
const ATTEMPTS_KEPT = 20;

export function withAttempt(delivery: Delivery, attempt: Attempt): Delivery {
  return { ...delivery, attempts: [...delivery.attempts, attempt].slice(-ATTEMPTS_KEPT) };
}
