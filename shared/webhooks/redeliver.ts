import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import { type NewId, notFound } from '../kernel/ids.ts';
import { EMAIL } from './deliver-event.ts';
import { type Delivery, FIRST_WATCH_MS } from './delivery.ts';
import { changeDelivery, type DeliveryKey, type DeliveryStore } from './delivery-store.ts';
import type { DeliveryMessage, EventQueues } from './event-queues.ts';
import { beginDelivery } from './publish-event.ts';
import { requireWebhook } from './require-webhook.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface RedeliverDeps {
  webhooks: Pick<WebhookStore, 'get'>;
  deliveries: Pick<DeliveryStore, 'get' | 'update' | 'insert' | 'openPointer'>;
  eventQueues: Pick<EventQueues, 'sendDelivery'>;
  clock: Clock;
}

/**
 * Begins a delivery anew, with a new round of attempts. Receivers get the same `webhook-id` again.
 *
 * @throws DomainError `not_found`, `wrong_state` if the webhook is disabled
 */
export async function redeliver(
  deps: RedeliverDeps,
  actor: CustomerActor,
  webhookId: string,
  deliveryId: string,
): Promise<Delivery> {
  await requireEnabled(deps, actor, webhookId);
  return beginRound(deps, { customerId: actor.customerId, webhookId, id: deliveryId });
}

/** What `sendTestEmail` and `resendEmail` need. */
export interface AskedEmailDeps extends Omit<RedeliverDeps, 'webhooks'> {
  deliveries: RedeliverDeps['deliveries'] & Pick<DeliveryStore, 'list'>;
}

/** E-mails that a customer may ask for within an hour. They may go through the mail server that all customers share. */
const ASKED_EMAILS_MAX = 5;
const ASKED_WITHIN_MS = 3_600_000;
const LOOKED_AT = 50;

/**
 * Sends a test e-mail. It takes the same way as every other one.
 *
 * @throws DomainError `rate_limited`
 */
export async function sendTestEmail(
  deps: AskedEmailDeps & { newId: NewId },
  { customerId }: CustomerActor,
): Promise<Delivery> {
  await requireFewAskedEmails(deps, customerId);
  const happenedAt = deps.clock.now();
  return beginDelivery(deps, EMAIL, { id: deps.newId('evt'), customerId, type: 'email.test', happenedAt, data: {} });
}

/**
 * Sends an e-mail again, with a new round of attempts.
 *
 * @throws DomainError `not_found`, `rate_limited`
 */
export async function resendEmail(
  deps: AskedEmailDeps,
  { customerId }: CustomerActor,
  emailId: string,
): Promise<Delivery> {
  await requireFewAskedEmails(deps, customerId);
  return beginRound(deps, { customerId, webhookId: EMAIL, id: emailId });
}

/**
 * Counts how often test e-mails, and those that were sent again, have gone out or are about to. It counts what is stored,
 * so all instances count the same.
 */
async function requireFewAskedEmails({ deliveries, clock }: AskedEmailDeps, customerId: string): Promise<void> {
  const { items } = await deliveries.list(customerId, EMAIL, { limit: LOOKED_AT });
  const now = clock.now().getTime();
  const asked = items
    .filter(({ type, roundStartedAt, createdAt }) => type === 'email.test' || roundStartedAt > createdAt)
    .flatMap(({ attempts, status, roundStartedAt }) => {
      const sent = attempts.filter(({ result }) => result === 'succeeded').map(({ startedAt }) => startedAt.getTime());
      return status === 'pending' ? [...sent, roundStartedAt.getTime()] : sent;
    })
    .filter((at) => now - at < ASKED_WITHIN_MS);
  if (asked.length < ASKED_EMAILS_MAX) return;
  const retryAfterSeconds = Math.max(1, Math.ceil((Math.min(...asked) + ASKED_WITHIN_MS - now) / 1000));
  const detail = `You can ask for ${ASKED_EMAILS_MAX} e-mails within an hour. Notices are sent all the same.`;
  throw new DomainError('rate_limited', detail, { retryAfterSeconds });
}

async function beginRound(deps: Omit<RedeliverDeps, 'webhooks'>, key: DeliveryKey): Promise<Delivery> {
  const { customerId, webhookId, id: deliveryId } = key;
  // A pointer to nothing would be looked after by the sweep.
  if (!(await deps.deliveries.get(key))) throw notFound('evt');
  const now = deps.clock.now();
  const watchedAt = new Date(now.getTime() + FIRST_WATCH_MS);
  await deps.deliveries.openPointer({ customerId, webhookId, deliveryId, watchedAt });
  const begun = await changeDelivery(deps.deliveries, key, ({ attemptEndsBy: _other, ...current }) => ({
    ...current,
    status: 'pending',
    roundStartedAt: now,
    roundAttempts: 0,
    nextAttemptAt: now,
    watchedAt,
  }));
  if (!begun) throw notFound('evt');
  await deps.eventQueues.sendDelivery({ v: 1, customerId, webhookId, deliveryId });
  return begun;
}

/**
 * Begins a delivery anew that failed because of a defect of ours. Repeatable: resolves to `false` if it has not failed, or
 * if a new round has begun since `poisonedAt`.
 */
export async function redeliverPoisoned(
  deps: Omit<RedeliverDeps, 'webhooks'>,
  { customerId, webhookId, deliveryId }: DeliveryMessage,
  poisonedAt: Date,
): Promise<boolean> {
  const now = deps.clock.now();
  const watchedAt = new Date(now.getTime() + FIRST_WATCH_MS);
  const key = { customerId, webhookId, id: deliveryId };
  const found = await deps.deliveries.get(key);
  const isPoisoned = (delivery: Delivery) => delivery.status === 'failed' && delivery.roundStartedAt <= poisonedAt;
  if (!found || !isPoisoned(found.value)) return false;
  await deps.deliveries.openPointer({ customerId, webhookId, deliveryId, watchedAt });
  const begun = await changeDelivery(deps.deliveries, key, ({ attemptEndsBy: _other, ...current }) =>
    isPoisoned(current)
      ? { ...current, status: 'pending', roundStartedAt: now, roundAttempts: 0, nextAttemptAt: now, watchedAt }
      : undefined,
  );
  if (!begun) return false;
  await deps.eventQueues.sendDelivery({ v: 1, customerId, webhookId, deliveryId });
  return true;
}

/**
 * Delivers a `webhook.ping`, so that a receiver can be tried out. It takes the same way as every event.
 *
 * @throws DomainError `not_found`, `wrong_state` if the webhook is disabled
 */
export async function pingWebhook(
  deps: RedeliverDeps & { newId: NewId },
  actor: CustomerActor,
  webhookId: string,
): Promise<Delivery> {
  const { customerId, url } = await requireEnabled(deps, actor, webhookId);
  return beginDelivery(deps, webhookId, {
    id: deps.newId('evt'),
    customerId,
    type: 'webhook.ping',
    happenedAt: deps.clock.now(),
    data: { webhookId, url },
  });
}

/**
 * @throws DomainError `not_found`
 */
export async function requireDelivery(
  deps: { webhooks: Pick<WebhookStore, 'get'>; deliveries: Pick<DeliveryStore, 'get'> },
  actor: CustomerActor,
  webhookId: string,
  deliveryId: string,
): Promise<Delivery> {
  const { customerId } = await requireWebhook(deps, actor, webhookId);
  const found = await deps.deliveries.get({ customerId, webhookId, id: deliveryId });
  if (!found) throw notFound('evt');
  return found.value;
}

async function requireEnabled(deps: RedeliverDeps, actor: CustomerActor, webhookId: string): Promise<Webhook> {
  const webhook = await requireWebhook(deps, actor, webhookId);
  if (webhook.status === 'enabled') return webhook;
  throw new DomainError('wrong_state', 'This webhook is disabled. Enable it first: PATCH it with `{"enabled": true}`.');
}
