import {
  type Api,
  dataOf,
  initOf,
  type PageOptions,
  type PostOptions,
  postShownOnce,
  type RequestOptions,
} from './api.ts';
import { pages } from './pages.ts';
import type { Delivery, NewWebhook, ShownWebhook, Webhook, WebhookChanges } from './types.ts';

export interface SecretRotation {
  /** How long the old secret signs as well. A day by default. */
  overlapSeconds?: number;
}

export interface DeliveryListOptions extends PageOptions {
  status?: Delivery['status'];
}

/** Events for a server of your own. Verify them with a library of https://www.standardwebhooks.com. */
export interface Webhooks {
  /** Subscribes a URL to events. Store the `secret`. The API does not show it again. */
  create(webhook: NewWebhook, options?: PostOptions): Promise<ShownWebhook>;
  get(webhookId: string, options?: RequestOptions): Promise<Webhook>;
  list(options?: PageOptions): AsyncIterable<Webhook>;
  /** Changes a webhook. `enabled: true` enables one that was disabled. */
  update(webhookId: string, changes: WebhookChanges, options?: RequestOptions): Promise<Webhook>;
  /** Removes a webhook, its secret and its deliveries. */
  remove(webhookId: string, options?: RequestOptions): Promise<void>;
  /** Makes a new secret. Until the overlap is over, events are signed with both. */
  rotate(webhookId: string, rotation?: SecretRotation, options?: PostOptions): Promise<ShownWebhook>;
  /** Sends a `webhook.ping`. */
  ping(webhookId: string, options?: PostOptions): Promise<Delivery>;
  /** What became of the events, newest first. */
  deliveries(webhookId: string, options?: DeliveryListOptions): AsyncIterable<Delivery>;
  delivery(webhookId: string, deliveryId: string, options?: RequestOptions): Promise<Delivery>;
  redeliver(webhookId: string, deliveryId: string, options?: PostOptions): Promise<Delivery>;
}

export function createWebhooks({ raw }: Api): Webhooks {
  const pathOf = (webhookId: string) => ({ path: { webhookId } });

  const remove = async (webhookId: string, options: RequestOptions = {}) => {
    await dataOf(raw.DELETE('/v1/webhooks/{webhookId}', { params: pathOf(webhookId), ...initOf(options) }));
  };

  const rotate = (webhookId: string, rotation: SecretRotation, options: PostOptions) =>
    dataOf(
      raw.POST('/v1/webhooks/{webhookId}/rotate', {
        params: pathOf(webhookId),
        body: { overlapSeconds: 86_400, ...rotation },
        ...initOf(options),
      }),
    );

  return {
    create: (webhook, options = {}) => {
      const post = () => dataOf(raw.POST('/v1/webhooks', { body: webhook, ...initOf(options) }));
      return postShownOnce('secret', options, post, async ({ id }) => {
        await remove(id, options);
        return post();
      });
    },

    get: (webhookId, options = {}) =>
      dataOf(raw.GET('/v1/webhooks/{webhookId}', { params: pathOf(webhookId), ...initOf(options) })),

    list: ({ pageSize, ...options } = {}) =>
      pages<Webhook>((cursor) =>
        dataOf(
          raw.GET('/v1/webhooks', {
            params: { query: { ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    update: (webhookId, changes, options = {}) =>
      dataOf(raw.PATCH('/v1/webhooks/{webhookId}', { params: pathOf(webhookId), body: changes, ...initOf(options) })),

    remove,

    rotate: (webhookId, rotation = {}, options = {}) =>
      postShownOnce(
        'secret',
        options,
        () => rotate(webhookId, rotation, options),
        // Nobody has seen the new secret, so another one takes its place.
        () => rotate(webhookId, rotation, options),
      ),

    ping: (webhookId, options = {}) =>
      dataOf(raw.POST('/v1/webhooks/{webhookId}/ping', { params: pathOf(webhookId), ...initOf(options) })),

    deliveries: (webhookId, { pageSize, status, ...options } = {}) =>
      pages<Delivery>((cursor) =>
        dataOf(
          raw.GET('/v1/webhooks/{webhookId}/deliveries', {
            params: {
              ...pathOf(webhookId),
              query: { ...cursor, ...(status && { status }), ...(pageSize && { limit: pageSize }) },
            },
            ...initOf(options),
          }),
        ),
      ),

    delivery: (webhookId, deliveryId, options = {}) =>
      dataOf(
        raw.GET('/v1/webhooks/{webhookId}/deliveries/{deliveryId}', {
          params: { path: { webhookId, deliveryId } },
          ...initOf(options),
        }),
      ),

    redeliver: (webhookId, deliveryId, options = {}) =>
      dataOf(
        raw.POST('/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver', {
          params: { path: { webhookId, deliveryId } },
          ...initOf(options),
        }),
      ),
  };
}
