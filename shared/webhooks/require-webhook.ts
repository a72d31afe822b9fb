import { notFound } from '../kernel/ids.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

/**
 * Finds one of the customer's webhooks.
 *
 * @throws DomainError `not_found`
 */
export async function requireWebhook(
  deps: { webhooks: Pick<WebhookStore, 'get'> },
  { customerId }: { customerId: string },
  webhookId: string,
): Promise<Webhook> {
  const found = await deps.webhooks.get(customerId, webhookId);
  if (!found) throw noSuchWebhook();
  return found.value;
}

export function noSuchWebhook() {
  return notFound('hook');
}
