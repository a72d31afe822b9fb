import { quotaReached } from '../../shared/kernel/quota.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import type { Webhook } from '../../shared/webhooks/webhook.ts';
import type { WebhookStore } from '../../shared/webhooks/webhook-store.ts';
import { pageOf } from './page-of.ts';

/** Webhooks in memory. */
export function inMemoryWebhooks(): WebhookStore {
  const kept = new Map<string, Tagged<Webhook>>();
  let tags = 0;
  const put = (webhook: Webhook) => {
    const tag = `tag-${++tags}`;
    kept.set(webhook.id, { value: structuredClone(webhook), tag });
    return tag;
  };
  const own = (customerId: string, webhookId: string) => {
    const found = kept.get(webhookId);
    return found?.value.customerId === customerId ? structuredClone(found) : undefined;
  };
  const allOf = (customerId: string) =>
    [...kept.values()]
      .map(({ value }) => structuredClone(value))
      .filter((webhook) => webhook.customerId === customerId)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    async get(customerId, webhookId) {
      return own(customerId, webhookId);
    },
    async list(customerId, request) {
      return pageOf(allOf(customerId), request);
    },
    async all(customerId) {
      return allOf(customerId);
    },
    async insert(webhook, webhooksMax) {
      const others = allOf(webhook.customerId).filter(({ id }) => id !== webhook.id);
      if (others.length >= webhooksMax) throw quotaReached('webhooks', webhooksMax, 'Delete one.');
      put(webhook);
    },
    async update(webhook, tag) {
      return own(webhook.customerId, webhook.id)?.tag === tag ? put(webhook) : undefined;
    },
    async remove(customerId, webhookId) {
      if (own(customerId, webhookId)) kept.delete(webhookId);
    },
    async purge(customerId) {
      for (const { id } of allOf(customerId)) kept.delete(id);
    },
  };
}
