import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import { type NewId, notFound } from '../kernel/ids.ts';
import type { Quotas } from '../kernel/quota.ts';
import type { EventType } from './event-types.ts';
import type { SigningSecrets } from './signing-secrets.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface CreateWebhookDeps {
  webhooks: Pick<WebhookStore, 'insert' | 'remove'>;
  signingSecrets: Pick<SigningSecrets, 'create' | 'remove'>;
  customers: { exists(customerId: string): Promise<boolean> };
  quotas: Pick<Quotas, 'webhooksMax'>;
  clock: Clock;
  newId: NewId;
}

/** A webhook and the text of its secret, which cannot be shown again. */
export interface ShownWebhook {
  webhook: Webhook;
  secret: string;
}

/**
 * Subscribes a URL to events.
 *
 * The secret is stored before the record, as that of a connection is. The daily timer removes one that no record names.
 * Repeatable with the same `newId`: a retry makes a
 * new secret for the same webhook, because nobody was shown the first one.
 *
 * @throws DomainError `quota_reached`, `vault_unavailable`
 */
export async function createWebhook(
  deps: CreateWebhookDeps,
  { customerId }: CustomerActor,
  input: { url: string; events: EventType[]; description?: string | undefined },
): Promise<ShownWebhook> {
  const id = deps.newId('hook');
  const { text, version } = await deps.signingSecrets.create({ id, customerId });
  const webhook: Webhook = {
    id,
    customerId,
    url: input.url,
    events: input.events,
    ...(input.description !== undefined && { description: input.description }),
    status: 'enabled',
    secretVersion: version,
    createdAt: deps.clock.now(),
  };
  try {
    await deps.webhooks.insert(webhook, deps.quotas.webhooksMax);
    // A deletion marks the customer first, and then removes its webhooks. No webhook outlives its customer.
    if (!(await deps.customers.exists(customerId))) {
      await deps.webhooks.remove(customerId, id);
      throw notFound('cust');
    }
  } catch (error) {
    const isRefused = error instanceof DomainError && ['quota_reached', 'not_found'].includes(error.code);
    // A failed cleanup must not hide why the webhook was refused.
    if (isRefused) await deps.signingSecrets.remove(id, version).catch(() => undefined);
    throw error;
  }
  return { webhook, secret: text };
}
