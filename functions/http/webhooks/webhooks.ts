import { z } from 'zod';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { nameField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { type CreateWebhookDeps, createWebhook, type ShownWebhook } from '../../../shared/webhooks/create-webhook.ts';
import { type RemoveWebhookDeps, removeWebhook } from '../../../shared/webhooks/remove-webhook.ts';
import { requireWebhook } from '../../../shared/webhooks/require-webhook.ts';
import { rotateSecret } from '../../../shared/webhooks/rotate-secret.ts';
import type { SigningSecrets } from '../../../shared/webhooks/signing-secrets.ts';
import { updateWebhook } from '../../../shared/webhooks/update-webhook.ts';
import type { Webhook } from '../../../shared/webhooks/webhook.ts';
import { eventListField, webhookUrlField } from '../../../shared/webhooks/webhook-fields.ts';
import type { WebhookSender } from '../../../shared/webhooks/webhook-sender.ts';
import type { WebhookStore } from '../../../shared/webhooks/webhook-store.ts';
import { addDeliveryRoutes, type DeliveryRouteDeps } from './deliveries.ts';
import { presentWebhook } from './present-webhook.ts';
import { shownWebhookSchema, webhookSchema } from './webhook-schemas.ts';

interface Deps extends EndpointDeps, CreateWebhookDeps, RemoveWebhookDeps, DeliveryRouteDeps {
  customers: EndpointDeps['customers'] & CreateWebhookDeps['customers'];
  webhooks: WebhookStore;
  deliveries: RemoveWebhookDeps['deliveries'] & DeliveryRouteDeps['deliveries'];
  signingSecrets: SigningSecrets;
  webhookSender: Pick<WebhookSender, 'isAllowedUrl'>;
  newId: EndpointDeps['newId'];
  clock: EndpointDeps['clock'];
  fields: { nameMaxLength: number };
}

/** 30 days. */
const OVERLAP_MAX_SECONDS = 30 * 24 * 3600;
const OVERLAP_DEFAULT_SECONDS = 24 * 3600;

export function addWebhookRoutes(api: Api, deps: Deps): void {
  const url = webhookUrlField((one) => deps.webhookSender.isAllowedUrl(one));
  const description = nameField(deps.fields.nameMaxLength);
  const present = (webhook: Webhook) => presentWebhook(webhook, deps.clock.now());
  const presentShown = ({ webhook, secret }: ShownWebhook) => ({ ...present(webhook), secret });

  api.route({
    name: 'webhooks-create',
    method: 'POST',
    path: 'v1/webhooks',
    tag: 'Webhooks',
    summary: 'Subscribe to events',
    description:
      'The secret is in this answer only. Deliveries are signed with it as https://www.standardwebhooks.com says; its libraries verify them.',
    refusals: ['quota_reached', 'vault_unavailable'],
    responses: {
      201: {
        description: 'The new webhook.',
        schema: shownWebhookSchema,
        headers: { Location: 'The path of the webhook.' },
      },
    },
    permission: 'administer',
    body: z.strictObject({ url, events: eventListField, description: description.optional() }),
    redactOnReplay: ['secret'],
    async handle({ actor, body, newId }) {
      const shown = await createWebhook({ ...deps, newId }, actor, body);
      return {
        status: 201,
        headers: { location: `/v1/webhooks/${shown.webhook.id}` },
        jsonBody: presentShown(shown),
      };
    },
  });

  api.route({
    name: 'webhooks-list',
    method: 'GET',
    path: 'v1/webhooks',
    tag: 'Webhooks',
    summary: 'List webhooks',
    responses: { 200: { description: 'One page of webhooks.', schema: pageOf(webhookSchema) } },
    permission: 'read',
    list: true,
    handle: async ({ actor, page, answerPage }) =>
      answerPage(await deps.webhooks.list(actor.customerId, page), present),
  });

  api.route({
    name: 'webhooks-get',
    method: 'GET',
    path: 'v1/webhooks/{webhookId}',
    tag: 'Webhooks',
    summary: 'Get a webhook',
    responses: { 200: { description: 'The webhook.', schema: webhookSchema } },
    permission: 'read',
    handle: async ({ actor, params: { webhookId = '' } }) => ({
      jsonBody: present(await requireWebhook(deps, actor, webhookId)),
    }),
  });

  api.route({
    name: 'webhooks-update',
    method: 'PATCH',
    path: 'v1/webhooks/{webhookId}',
    tag: 'Webhooks',
    summary: 'Change, disable or enable a webhook',
    responses: { 200: { description: 'The changed webhook.', schema: webhookSchema } },
    permission: 'administer',
    body: z.strictObject({
      url: url.optional(),
      events: eventListField.optional(),
      description: description.optional(),
      enabled: z
        .boolean()
        .optional()
        .meta({ description: 'While a webhook is disabled, its events are not kept. Enable it again with `true`.' }),
    }),
    handle: async ({ actor, params: { webhookId = '' }, body, requireMatch }) => ({
      jsonBody: present(await updateWebhook(deps, actor, webhookId, body, (current) => requireMatch(present(current)))),
    }),
  });

  api.route({
    name: 'webhooks-delete',
    method: 'DELETE',
    path: 'v1/webhooks/{webhookId}',
    tag: 'Webhooks',
    summary: 'Delete a webhook with its secret and its deliveries',
    refusals: ['vault_unavailable'],
    responses: { 204: { description: 'The webhook is deleted.' } },
    permission: 'administer',
    async handle({ actor, params: { webhookId = '' }, requireMatch }) {
      requireMatch(present(await requireWebhook(deps, actor, webhookId)));
      await removeWebhook(deps, actor, webhookId);
      return { status: 204 };
    },
  });

  api.route({
    name: 'webhooks-rotate',
    method: 'POST',
    path: 'v1/webhooks/{webhookId}/rotate',
    tag: 'Webhooks',
    summary: 'Replace the secret of a webhook',
    description:
      'Until `overlapSeconds` are over, deliveries carry signatures of both secrets. The new one is in this answer only.',
    refusals: ['vault_unavailable'],
    responses: { 200: { description: 'The webhook with its new secret.', schema: shownWebhookSchema } },
    permission: 'administer',
    body: z.strictObject({
      overlapSeconds: z.int().min(0).max(OVERLAP_MAX_SECONDS).default(OVERLAP_DEFAULT_SECONDS),
    }),
    redactOnReplay: ['secret'],
    handle: async ({ actor, body, params: { webhookId = '' } }) => ({
      jsonBody: presentShown(await rotateSecret(deps, actor, webhookId, body.overlapSeconds * 1000)),
    }),
  });

  addDeliveryRoutes(api, deps);
}
