import type { Secret } from '../kernel/secret.ts';
import type { Attempt } from './delivery.ts';

/** One signed request to a receiver. */
export interface SignedRequest {
  url: string;
  /** Sent as `webhook-id`. */
  id: string;
  sentAt: Date;
  body: string;
  /** Each makes a signature. More than one while a rotation overlaps. */
  secrets: readonly Secret[];
}

/** How an attempt has ended. `retryAfterSeconds` is what the receiver has asked for. */
export type SendResult = Omit<Attempt, 'startedAt'> & { retryAfterSeconds?: number };

/**
 * Sends events to receivers, as https://www.standardwebhooks.com says.
 *
 * Every failure of the receiver is a result, not an error. Never reaches a target that is not allowed, whatever the name
 * resolves to.
 */
export interface WebhookSender {
  send(request: SignedRequest): Promise<SendResult>;
  /** Whether deliveries may go to this URL, as far as it can be seen without asking DNS. */
  isAllowedUrl(url: URL): boolean;
}
