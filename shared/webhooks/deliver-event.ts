import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Secret } from '../kernel/secret.ts';
import { signal } from '../kernel/signals.ts';
import { type Attempt, type Delivery, FIRST_WATCH_MS, withAttempt } from './delivery.ts';
import type { DeliveryGate } from './delivery-gate.ts';
import { changeDelivery, type DeliveryKey, type DeliveryStore, pointerOf } from './delivery-store.ts';
import type { DeliveryMessage, EventQueues } from './event-queues.ts';
import type { RetrySchedule } from './retry-schedule.ts';
import type { SigningSecrets } from './signing-secrets.ts';
import { disabled } from './update-webhook.ts';
import type { Webhook } from './webhook.ts';
import type { SendResult, WebhookSender } from './webhook-sender.ts';
import { changeWebhook, type WebhookStore } from './webhook-store.ts';

/** Takes the place of the ID of a webhook in deliveries by e-mail. */
export const EMAIL = 'email';

export interface DeliverDeps {
  /** Sends the e-mail of a delivery. Every failure is a result. */
  sendEmail: (delivery: Delivery) => Promise<SendResult>;
  webhooks: Pick<WebhookStore, 'get' | 'update'>;
  deliveries: Pick<DeliveryStore, 'get' | 'update' | 'remove' | 'openPointer' | 'closePointer'>;
  signingSecrets: Pick<SigningSecrets, 'get'>;
  webhookSender: WebhookSender;
  eventQueues: Pick<EventQueues, 'sendDelivery'>;
  retrySchedule: RetrySchedule;
  deliveryGate: DeliveryGate;
  /** A webhook whose deliveries have failed for longer than this is disabled. */
  webhookDisabledAfterMs: number;
  /** Tells people that a webhook was disabled. Repeatable. */
  webhookDisabled: (webhook: Webhook) => Promise<void>;
  clock: Clock;
}

/** Longer than an attempt can take. After it, the process that made the attempt is dead. */
const ATTEMPT_MAX_MS = 30_000;
const NO_SECRET: SendResult = { result: 'noSecret', detail: 'The signing secret is gone. Rotate it.' };
/** The status that means: never again. */
const GONE = 410;

/** How long a message waits whose webhook has enough attempts under way, plus a random part. */
const FULL_WAIT_MS = 2_000;

/** Makes one attempt of a delivery, or puts its message back if its webhook has enough attempts under way here. */
export async function deliverEvent(deps: DeliverDeps, message: DeliveryMessage, log: Log): Promise<void> {
  const result = await deps.deliveryGate.run(message.webhookId, () => attemptDelivery(deps, message, log));
  if (result === 'full') await deps.eventQueues.sendDelivery(message, FULL_WAIT_MS * (1 + 2 * Math.random()));
}

/**
 * Makes one attempt of a delivery and decides what follows.
 *
 * The attempt is noted before the request, so that a second message does not send the event as well, and an attempt that
 * kills its process counts. The result decides: done, a later attempt, or the end. Nothing is sent for a delivery that has
 * ended, whose time has not come, or whose webhook is gone or disabled.
 */
async function attemptDelivery(deps: DeliverDeps, message: DeliveryMessage, log: Log): Promise<void> {
  const { customerId, webhookId, deliveryId } = message;
  const key = { customerId, webhookId, id: deliveryId };
  if (webhookId === EMAIL) return attemptEmail(deps, key);
  const [webhook, found] = await Promise.all([deps.webhooks.get(customerId, webhookId), deps.deliveries.get(key)]);
  if (!found) return;
  if (!webhook) {
    // Written while the webhook was being removed.
    await close(deps, found.value);
    return deps.deliveries.remove(key);
  }
  const now = deps.clock.now();
  if (!isDue(found.value, now)) return;
  if (webhook.value.status === 'disabled') return endUnsent(deps, found.value, now);

  const secrets = await secretsOf(deps, webhook.value, now);
  const begun = beginAttempt(found.value, now);
  const tag = await deps.deliveries.update(begun, found.tag);
  // Another process was faster.
  if (tag === undefined) return;

  const { url } = webhook.value;
  const { retryAfterSeconds, ...result } =
    secrets.length > 0
      ? await deps.webhookSender.send({ url, id: begun.id, sentAt: now, body: begun.body, secrets })
      : NO_SECRET;
  const { detail: _quotesTheReceiver, ...told } = result;
  signal(log, 'webhook_attempt', { customerId, webhookId, deliveryId, ...told });
  await settle(deps, { value: begun, tag }, { startedAt: now, ...result }, retryAfterSeconds);
  await noteHealth(deps, webhook.value, begun, result, now);
}

/** The same for an e-mail. It has nothing to be disabled. */
async function attemptEmail(deps: DeliverDeps, key: DeliveryKey): Promise<void> {
  const found = await deps.deliveries.get(key);
  const now = deps.clock.now();
  if (!found || !isDue(found.value, now)) return;
  const begun = beginAttempt(found.value, now);
  const tag = await deps.deliveries.update(begun, found.tag);
  if (tag === undefined) return;
  const result = await deps.sendEmail(begun);
  await settle(deps, { value: begun, tag }, { startedAt: now, ...result }, undefined);
}

function isDue({ status, nextAttemptAt, attemptEndsBy }: Delivery, now: Date): boolean {
  if (status !== 'pending' || (nextAttemptAt && nextAttemptAt > now)) return false;
  return attemptEndsBy === undefined || attemptEndsBy <= now;
}

async function secretsOf(deps: DeliverDeps, webhook: Webhook, now: Date): Promise<Secret[]> {
  const previous = (webhook.previousSecrets ?? []).filter(({ endsAt }) => endsAt > now);
  const versions = [webhook.secretVersion, ...previous.map(({ version }) => version)];
  const secrets = await Promise.all(versions.map((version) => deps.signingSecrets.get(webhook.id, version)));
  return secrets.filter((secret) => secret !== undefined);
}

function beginAttempt(delivery: Delivery, now: Date): Delivery {
  const { attemptEndsBy } = delivery;
  const before = attemptEndsBy
    ? withAttempt(delivery, {
        startedAt: new Date(attemptEndsBy.getTime() - ATTEMPT_MAX_MS),
        result: 'interrupted',
      })
    : delivery;
  return {
    ...before,
    attemptCount: delivery.attemptCount + 1,
    roundAttempts: delivery.roundAttempts + 1,
    attemptEndsBy: new Date(now.getTime() + ATTEMPT_MAX_MS),
  };
}

/** Writes the result. If another writer has changed the delivery in the meantime, that change counts. */
async function settle(
  deps: DeliverDeps,
  begun: { value: Delivery; tag: string },
  attempt: Attempt,
  retryAfterSeconds: number | undefined,
): Promise<void> {
  const { attemptEndsBy: _over, nextAttemptAt: _done, ...rest } = withAttempt(begun.value, attempt);
  const delayMs =
    attempt.result === 'succeeded' || attempt.httpStatus === GONE
      ? undefined
      : deps.retrySchedule.delayMs(begun.value.roundAttempts, retryAfterSeconds);
  if (delayMs === undefined) {
    const status = attempt.result === 'succeeded' ? 'succeeded' : 'failed';
    const { watchedAt: _watched, ...ended } = rest;
    if (await deps.deliveries.update({ ...ended, status }, begun.tag)) await close(deps, begun.value);
    return;
  }
  const nextAttemptAt = new Date(deps.clock.now().getTime() + delayMs);
  await wait(deps, { ...rest, nextAttemptAt }, begun, delayMs);
}

/** Moves the pointer, writes the delivery, and sends the message of its next attempt. */
async function wait(
  deps: DeliverDeps,
  waiting: Delivery & { nextAttemptAt: Date },
  begun: { value: Delivery; tag: string },
  delayMs: number,
): Promise<void> {
  const watched = { ...waiting, watchedAt: new Date(waiting.nextAttemptAt.getTime() + FIRST_WATCH_MS) };
  const pointer = pointerOf(watched);
  if (pointer) await deps.deliveries.openPointer(pointer);
  if (!(await deps.deliveries.update(watched, begun.tag))) return;
  await close(deps, begun.value);
  const { customerId, webhookId, id: deliveryId } = waiting;
  // A second early, the message would find that its time has not come.
  await deps.eventQueues.sendDelivery({ v: 1, customerId, webhookId, deliveryId }, delayMs + 1_000);
}

/**
 * Ends a delivery whose message met a defect of ours each time. Repeatable. For the poison queue.
 */
export async function failDelivery(
  deps: Pick<DeliverDeps, 'deliveries'>,
  { customerId, webhookId, deliveryId }: DeliveryMessage,
): Promise<void> {
  const key = { customerId, webhookId, id: deliveryId };
  const before = (await deps.deliveries.get(key))?.value;
  const ended = await changeDelivery(deps.deliveries, key, (current) => {
    if (current.status !== 'pending') return undefined;
    const { attemptEndsBy: _none, nextAttemptAt: _next, watchedAt: _watched, ...rest } = current;
    return { ...rest, status: 'failed' };
  });
  if (ended && before) await close(deps, before);
}

async function endUnsent(deps: DeliverDeps, delivery: Delivery, now: Date): Promise<void> {
  const ended = await changeDelivery(deps.deliveries, delivery, (current) => {
    if (!isDue(current, now)) return undefined;
    const { attemptEndsBy: _none, nextAttemptAt: _next, watchedAt: _watched, ...rest } = current;
    return { ...rest, status: 'failed' };
  });
  if (ended) await close(deps, delivery);
}

async function close(deps: Pick<DeliverDeps, 'deliveries'>, delivery: Delivery): Promise<void> {
  const pointer = pointerOf(delivery);
  if (pointer) await deps.deliveries.closePointer(pointer);
}

/**
 * Notes whether the receiver works. A webhook is disabled when its receiver says that it is gone, or when a delivery has
 * used up its attempts and none has succeeded for a long time. One bad delivery after a quiet week is not enough.
 */
async function noteHealth(
  deps: DeliverDeps,
  seen: Webhook,
  { roundAttempts }: Delivery,
  { result, httpStatus }: SendResult,
  now: Date,
): Promise<void> {
  if (result === 'succeeded' && seen.failingSince === undefined) return;
  let isDisabled = false;
  const changed = await changeWebhook(deps.webhooks, seen, (current) => {
    isDisabled = false;
    const { failingSince, ...healthy } = current;
    if (result === 'succeeded') return failingSince ? healthy : undefined;
    if (current.status === 'disabled') return undefined;
    const failing = { ...healthy, failingSince: failingSince ?? now };
    const isLast = deps.retrySchedule.delayMs(roundAttempts) === undefined;
    const isLong = now.getTime() - failing.failingSince.getTime() >= deps.webhookDisabledAfterMs;
    isDisabled = httpStatus === GONE || (isLast && isLong);
    if (isDisabled) return disabled(failing, httpStatus === GONE ? 'gone' : 'failing', now);
    return failingSince ? undefined : failing;
  });
  if (isDisabled && changed) await deps.webhookDisabled(changed);
}
