import type { CustomerActor } from '../kernel/actor.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { requireWebhook } from './require-webhook.ts';
import type { SigningSecrets } from './signing-secrets.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface RemoveWebhookDeps {
  webhooks: Pick<WebhookStore, 'get' | 'all' | 'remove' | 'purge'>;
  deliveries: Pick<DeliveryStore, 'purge'>;
  signingSecrets: Pick<SigningSecrets, 'remove'>;
}

/**
 * Removes a webhook with its secret and its log. The record goes last, so that an interrupted removal can be repeated.
 * Deliveries without a webhook are dropped by the worker that finds them.
 *
 * @throws DomainError `not_found`, `vault_unavailable`
 */
export async function removeWebhook(deps: RemoveWebhookDeps, actor: CustomerActor, webhookId: string): Promise<void> {
  await removeExisting(deps, await requireWebhook(deps, actor, webhookId));
}

/** Removes everything about webhooks of a customer. Repeatable. */
export async function purgeWebhooks(deps: RemoveWebhookDeps, customerId: string): Promise<void> {
  for (const webhook of await deps.webhooks.all(customerId)) await removeExisting(deps, webhook);
  await deps.webhooks.purge(customerId);
}

async function removeExisting(deps: RemoveWebhookDeps, webhook: Webhook): Promise<void> {
  const { customerId, id, secretVersion, previousSecrets = [] } = webhook;
  const versions = [secretVersion, ...previousSecrets.map(({ version }) => version)];
  for (const version of versions) await deps.signingSecrets.remove(id, version);
  await deps.deliveries.purge(customerId, id);
  await deps.webhooks.remove(customerId, id);
}
