import { z } from 'zod';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { attemptResults, deliveryStatuses } from '../../../shared/webhooks/delivery.ts';
import { deliveredTypes, eventTypes } from '../../../shared/webhooks/event-types.ts';
import { disabledReasons, webhookStatuses } from '../../../shared/webhooks/webhook.ts';

export const webhookSchema = z
  .strictObject({
    id: z.string().meta({ example: 'hook_01k2m8qj4vabcdefghjkmnp' }),
    url: z.string(),
    events: z.array(z.enum(eventTypes)),
    description: z.string().nullable(),
    status: z.enum(webhookStatuses),
    disabledReason: z
      .enum(disabledReasons)
      .nullable()
      .meta({ description: '`gone`: the receiver answered 410. `failing`: deliveries failed for days.' }),
    disabledAt: instant.nullable(),
    failingSince: instant.nullable().meta({ description: 'The first failure since the last success.' }),
    previousSecretEndsAt: instant
      .nullable()
      .meta({ description: 'Until then, deliveries are also signed with secrets from before a rotation.' }),
    createdAt: instant,
  })
  .meta({ id: 'Webhook', description: 'Where events are delivered. Its secret is shown once.' });

export const shownWebhookSchema = webhookSchema
  .extend({
    secret: z.string().optional().meta({ description: 'The secret, `whsec_…`. Absent when the answer is replayed.' }),
  })
  .meta({ id: 'ShownWebhook' });

const attemptSchema = z
  .strictObject({
    startedAt: instant,
    result: z.enum(attemptResults),
    durationMs: z.int().nullable(),
    httpStatus: z.int().nullable().meta({ description: 'The status of your server’s answer.' }),
    detail: z.string().nullable().meta({ description: 'What failed, or how your server’s answer begins.' }),
  })
  .meta({ id: 'DeliveryAttempt' });

export const deliverySchema = z
  .strictObject({
    id: z.string().meta({ example: 'evt_01k2m8qj4vabcdefghjkmnp', description: 'Sent as `webhook-id`.' }),
    webhookId: z.string(),
    type: z.enum(deliveredTypes),
    happenedAt: instant,
    status: z.enum(deliveryStatuses),
    attemptCount: z.int(),
    attempts: z.array(attemptSchema).meta({ description: 'The latest 20 attempts, oldest first.' }),
    nextAttemptAt: instant.nullable(),
    body: z.string().meta({ description: 'Exactly what was sent and signed.' }),
    createdAt: instant,
  })
  .meta({ id: 'Delivery', description: 'One event for one webhook, and how far its delivery has got.' });
