import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventType } from './event-types.ts';
import { noSuchWebhook } from './require-webhook.ts';
import type { Webhook } from './webhook.ts';
import { changeWebhook, type WebhookStore } from './webhook-store.ts';

interface WebhookChange {
  url?: string | undefined;
  events?: EventType[] | undefined;
  description?: string | undefined;
  enabled?: boolean | undefined;
}

/**
 * Changes the fields that are given. A webhook that is enabled again begins without failures.
 *
 * @param check receives the current webhook before each write, and may throw to refuse
 * @throws DomainError `not_found`
 */
export async function updateWebhook(
  deps: { webhooks: Pick<WebhookStore, 'get' | 'update'>; clock: Clock },
  { customerId }: CustomerActor,
  webhookId: string,
  { enabled, ...fields }: WebhookChange,
  check: (current: Webhook) => void,
): Promise<Webhook> {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const updated = await changeWebhook(deps.webhooks, { customerId, id: webhookId }, (current) => {
    check(current);
    const next = { ...current, ...given };
    if (enabled === true) return enabledAgain(next);
    if (enabled === false && next.status === 'enabled') return disabled(next, 'byCustomer', deps.clock.now());
    return next;
  });
  if (!updated) throw noSuchWebhook();
  return updated;
}

/** The same webhook, which gets no more deliveries. */
export function disabled(
  webhook: Webhook,
  disabledReason: Webhook['disabledReason'] & string,
  disabledAt: Date,
): Webhook {
  return { ...webhook, status: 'disabled', disabledReason, disabledAt };
}

function enabledAgain(webhook: Webhook): Webhook {
  const { disabledReason: _reason, disabledAt: _at, failingSince: _since, ...rest } = webhook;
  return { ...rest, status: 'enabled' };
}
