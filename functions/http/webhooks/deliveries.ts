import { z } from 'zod';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { type Delivery, deliveryStatuses } from '../../../shared/webhooks/delivery.ts';
import type { DeliveryStore } from '../../../shared/webhooks/delivery-store.ts';
import { eventSchema, eventTexts } from '../../../shared/webhooks/event-schemas.ts';
import { pingWebhook, type RedeliverDeps, redeliver, requireDelivery } from '../../../shared/webhooks/redeliver.ts';
import { requireWebhook } from '../../../shared/webhooks/require-webhook.ts';
import { presentDelivery } from './present-webhook.ts';
import { deliverySchema } from './webhook-schemas.ts';

export interface DeliveryRouteDeps extends Omit<EndpointDeps, 'clock'>, RedeliverDeps {
  deliveries: RedeliverDeps['deliveries'] & Pick<DeliveryStore, 'list'>;
}

/** What deliveries carry, and the log of what became of them. */
export function addDeliveryRoutes(api: Api, deps: DeliveryRouteDeps): void {
  const types = Object.keys(eventTexts) as (keyof typeof eventTexts)[];
  for (const name of types) api.webhook({ name, summary: eventTexts[name], schema: eventSchema(name) });

  const accepted = {
    202: {
      description: 'The delivery, which is on its way.',
      schema: deliverySchema,
      headers: { Location: 'The path of the delivery.' },
    },
  };
  const answerAccepted = (delivery: Delivery) => ({
    status: 202,
    headers: { location: `/v1/webhooks/${delivery.webhookId}/deliveries/${delivery.id}` },
    jsonBody: presentDelivery(delivery),
  });

  api.route({
    name: 'webhooks-ping',
    method: 'POST',
    path: 'v1/webhooks/{webhookId}/ping',
    tag: 'Webhooks',
    summary: 'Try out a webhook',
    description: 'Delivers a `webhook.ping` as any event is delivered. The delivery shows what your server answered.',
    refusals: ['wrong_state'],
    responses: accepted,
    permission: 'administer',
    handle: async ({ actor, params: { webhookId = '' }, newId }) =>
      answerAccepted(await pingWebhook({ ...deps, newId }, actor, webhookId)),
  });

  api.route({
    name: 'webhooks-deliveries-list',
    method: 'GET',
    path: 'v1/webhooks/{webhookId}/deliveries',
    tag: 'Webhooks',
    summary: 'List the deliveries of a webhook',
    responses: { 200: { description: 'One page of deliveries, newest event first.', schema: pageOf(deliverySchema) } },
    permission: 'read',
    query: z.strictObject({ status: z.enum(deliveryStatuses).optional() }),
    list: true,
    async handle({ actor, params: { webhookId = '' }, query, page, answerPage }) {
      await requireWebhook(deps, actor, webhookId);
      return answerPage(await deps.deliveries.list(actor.customerId, webhookId, page, query.status), presentDelivery);
    },
  });

  api.route({
    name: 'webhooks-deliveries-get',
    method: 'GET',
    path: 'v1/webhooks/{webhookId}/deliveries/{deliveryId}',
    tag: 'Webhooks',
    summary: 'Get a delivery',
    responses: { 200: { description: 'The delivery.', schema: deliverySchema } },
    permission: 'read',
    handle: async ({ actor, params: { webhookId = '', deliveryId = '' } }) => ({
      jsonBody: presentDelivery(await requireDelivery(deps, actor, webhookId, deliveryId)),
    }),
  });

  api.route({
    name: 'webhooks-deliveries-redeliver',
    method: 'POST',
    path: 'v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver',
    tag: 'Webhooks',
    summary: 'Deliver an event again',
    description: 'Begins a new round of attempts with the same `webhook-id` and body.',
    refusals: ['wrong_state'],
    responses: accepted,
    permission: 'administer',
    handle: async ({ actor, params: { webhookId = '', deliveryId = '' } }) =>
      answerAccepted(await redeliver(deps, actor, webhookId, deliveryId)),
  });
}
