import { changeTagged } from '../kernel/change-tagged.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Webhook } from './webhook.ts';

/** Stores webhooks. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface WebhookStore {
  get(customerId: string, webhookId: string): Promise<Tagged<Webhook> | undefined>;
  /** Oldest first. */
  list(customerId: string, page: PageRequest): Promise<Page<Webhook>>;
  /** All webhooks of a customer. A customer has at most as many as its quota allows. */
  all(customerId: string): Promise<Webhook[]>;
  /**
   * Rejects with `quota_reached` if the customer has `webhooksMax` other webhooks, also when several are inserted at the
   * same time. Replaces the webhook that an earlier try with the same ID has stored: nobody was shown its secret.
   */
  insert(webhook: Webhook, webhooksMax: number): Promise<void>;
  /** Resolves to the new tag, or to `undefined` if the webhook has changed since `tag` was read or is gone. */
  update(webhook: Webhook, tag: string): Promise<string | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, webhookId: string): Promise<void>;
  /** Removes everything of a customer: webhooks, deliveries, and what is still to be published. Repeatable. */
  purge(customerId: string): Promise<void>;
}

/** Changes a webhook, see `changeTagged`. */
export function changeWebhook(
  webhooks: Pick<WebhookStore, 'get' | 'update'>,
  { customerId, id }: Pick<Webhook, 'customerId' | 'id'>,
  change: (current: Webhook) => Webhook | undefined,
): Promise<Webhook | undefined> {
  const read = () => webhooks.get(customerId, id);
  return changeTagged({ read, write: (webhook, tag) => webhooks.update(webhook, tag) }, change);
}
