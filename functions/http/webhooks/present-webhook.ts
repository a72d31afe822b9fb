import type { z } from 'zod';
import type { Delivery } from '../../../shared/webhooks/delivery.ts';
import type { Webhook } from '../../../shared/webhooks/webhook.ts';
import type { deliverySchema, webhookSchema } from './webhook-schemas.ts';

export function presentWebhook(webhook: Webhook, now: Date): z.infer<typeof webhookSchema> {
  const overlaps = (webhook.previousSecrets ?? [])
    .map(({ endsAt }) => endsAt.getTime())
    .filter((end) => end > now.getTime());
  return {
    id: webhook.id,
    url: webhook.url,
    events: webhook.events,
    description: webhook.description ?? null,
    status: webhook.status,
    disabledReason: webhook.disabledReason ?? null,
    disabledAt: webhook.disabledAt?.toISOString() ?? null,
    failingSince: webhook.failingSince?.toISOString() ?? null,
    previousSecretEndsAt: overlaps.length > 0 ? new Date(Math.max(...overlaps)).toISOString() : null,
    createdAt: webhook.createdAt.toISOString(),
  };
}

export function presentDelivery(delivery: Delivery): z.infer<typeof deliverySchema> {
  return {
    id: delivery.id,
    webhookId: delivery.webhookId,
    type: delivery.type,
    happenedAt: delivery.happenedAt.toISOString(),
    status: delivery.status,
    attemptCount: delivery.attemptCount,
    attempts: delivery.attempts.map(({ startedAt, result, durationMs, httpStatus, detail }) => ({
      startedAt: startedAt.toISOString(),
      result,
      durationMs: durationMs ?? null,
      httpStatus: httpStatus ?? null,
      detail: detail ?? null,
    })),
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    body: delivery.body,
    createdAt: delivery.createdAt.toISOString(),
  };
}
