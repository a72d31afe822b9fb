import type { Delivery } from '../../shared/webhooks/delivery.ts';
import type { Webhook } from '../../shared/webhooks/webhook.ts';
import { RECORDS_NOW } from './records.ts';

/** Enabled, for one event. */
export function aWebhook(change: Partial<Webhook> = {}): Webhook {
  return {
    id: 'hook_1',
    customerId: 'cust_1',
    url: 'https://hooks.contoso.example/',
    events: ['import.completed'],
    status: 'enabled',
    secretVersion: 'v1',
    createdAt: RECORDS_NOW,
    ...change,
  };
}

/** Pending, with no attempt yet. */
export function aDelivery(change: Partial<Delivery> = {}): Delivery {
  return {
    id: 'evt_1',
    customerId: 'cust_1',
    webhookId: 'hook_1',
    type: 'import.completed',
    happenedAt: RECORDS_NOW,
    body: '{}',
    status: 'pending',
    attempts: [],
    attemptCount: 0,
    roundStartedAt: RECORDS_NOW,
    roundAttempts: 0,
    createdAt: RECORDS_NOW,
    ...change,
  };
}
