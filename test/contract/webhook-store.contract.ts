import { beforeEach, describe, expect, it } from 'vitest';
import type { WebhookStore } from '../../shared/webhooks/webhook-store.ts';
import { RECORDS_NOW } from '../support/records.ts';
import { aWebhook } from '../support/webhook-records.ts';

let serial = 0;

/** What every WebhookStore promises. Runs against the fake and against Table Storage. */
export function describeWebhookStore(name: string, create: () => WebhookStore): void {
  describe(`WebhookStore: ${name}`, () => {
    let store: WebhookStore;
    let acme: string;
    let globex: string;
    beforeEach(() => {
      store = create();
      [acme, globex] = [`cust_wa${++serial}`, `cust_wb${serial}`];
    });
    const ours = (id: string, more = {}) => aWebhook({ customerId: acme, id, ...more });

    it('returns what was inserted, to its customer only, oldest first', async () => {
      const full = ours('hook_2', {
        description: 'ours',
        status: 'disabled',
        disabledReason: 'gone',
        disabledAt: RECORDS_NOW,
        failingSince: RECORDS_NOW,
        previousSecrets: [{ version: 'v0', endsAt: RECORDS_NOW }],
      });
      await store.insert(full, 9);
      await store.insert(ours('hook_1'), 9);
      expect((await store.get(acme, 'hook_2'))?.value).toEqual(full);
      expect(await store.get(globex, 'hook_2')).toBeUndefined();
      expect((await store.all(acme)).map(({ id }) => id)).toEqual(['hook_1', 'hook_2']);
      expect(await store.all(globex)).toEqual([]);
      const { items, cursor = '' } = await store.list(acme, { limit: 1 });
      expect(items.map(({ id }) => id)).toEqual(['hook_1']);
      expect((await store.list(acme, { limit: 1, cursor })).items.map(({ id }) => id)).toEqual(['hook_2']);
    });

    it('holds the quota exactly, and replaces the webhook of an earlier try', async () => {
      const inserted = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((i) => store.insert(ours(`hook_${i}`), 3)));
      expect(inserted.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      const [first] = await store.all(acme);
      await store.insert(ours(first?.id ?? '', { secretVersion: 'second' }), 3);
      expect((await store.get(acme, first?.id ?? ''))?.value.secretVersion).toBe('second');
      await expect(store.insert(ours('hook_9'), 3)).rejects.toMatchObject({
        code: 'quota_reached',
        members: { limit: 3 },
      });
    });

    it('updates a webhook only while it is as it was read', async () => {
      await store.insert(ours('hook_1'), 9);
      const { tag = '' } = (await store.get(acme, 'hook_1')) ?? {};
      expect(await store.update(ours('hook_1', { url: 'https://b.test/' }), tag)).toEqual(expect.any(String));
      expect(await store.update(ours('hook_1'), tag)).toBeUndefined();
      for (let i = 0; i < 2; i++) await store.remove(acme, 'hook_1');
      expect(await store.get(acme, 'hook_1')).toBeUndefined();
      expect(await store.update(ours('hook_1'), tag)).toBeUndefined();
    });

    it('removes everything of one customer', async () => {
      await store.insert(ours('hook_1'), 9);
      await store.insert(aWebhook({ customerId: globex, id: `hook_g${serial}` }), 9);
      for (let i = 0; i < 2; i++) await store.purge(acme);
      expect(await store.all(acme)).toEqual([]);
      expect(await store.all(globex)).toHaveLength(1);
    });
  });
}
