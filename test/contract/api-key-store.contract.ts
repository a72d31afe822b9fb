import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../shared/api-keys/api-key-store.ts';
import { anApiKey, RECORDS_NOW } from '../support/records.ts';

let serial = 0;

/** What every ApiKeyStore promises. Runs against the fake and against Table Storage. */
export function describeApiKeyStore(name: string, create: () => ApiKeyStore): void {
  describe(`ApiKeyStore: ${name}`, () => {
    let store: ApiKeyStore;
    let acme: string;
    let globex: string;
    beforeEach(() => {
      store = create();
      [acme, globex] = [`cust_a${++serial}`, `cust_b${serial}`];
    });

    it('returns what was inserted', async () => {
      const expiring = anApiKey({ customerId: acme, id: 'key_2', expiresAt: RECORDS_NOW });
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }), 9);
      await store.insert(expiring, 9);
      expect((await store.get(acme, 'key_1'))?.value).toEqual(anApiKey({ customerId: acme, id: 'key_1' }));
      expect((await store.get(acme, 'key_2'))?.value).toEqual(expiring);
    });

    it('replaces a key that is inserted again with the same ID', async () => {
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }), 1);
      const second = anApiKey({ customerId: acme, id: 'key_1', hash: 'second' });
      await store.insert(second, 1);
      expect((await store.list(acme, { limit: 9 })).items).toEqual([second]);
    });

    it('does not show one customer’s key to another', async () => {
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }), 9);
      expect(await store.get(globex, 'key_1')).toBeUndefined();
      expect(await store.list(globex, { limit: 9 })).toEqual({ items: [] });
      await store.remove(globex, 'key_1');
      await store.purge(globex);
      expect(await store.get(acme, 'key_1')).toBeDefined();
    });

    it('lists in order, in pages, by role', async () => {
      for (const [id, role] of [
        ['key_3', 'owner'],
        ['key_1', 'operator'],
        ['key_2', 'viewer'],
      ] as const) {
        await store.insert(anApiKey({ customerId: acme, id, role }), 9);
      }
      const ids = async (...args: Parameters<ApiKeyStore['list']>) =>
        (await store.list(...args)).items.map(({ id }) => id);
      expect(await ids(acme, { limit: 9 })).toEqual(['key_1', 'key_2', 'key_3']);
      expect(await ids(acme, { limit: 9 }, ['owner', 'viewer'])).toEqual(['key_2', 'key_3']);
      const { cursor = '' } = await store.list(acme, { limit: 1 }, ['owner', 'viewer']);
      expect(await ids(acme, { limit: 1, cursor }, ['owner', 'viewer'])).toEqual(['key_3']);
    });

    it('updates a key only while it is as it was read', async () => {
      const key = anApiKey({ customerId: acme, id: 'key_1' });
      await store.insert(key, 9);
      const { tag = '' } = (await store.get(acme, 'key_1')) ?? {};
      const used = { ...key, lastUsedAt: RECORDS_NOW, replacedBy: 'key_2' };
      expect(await store.update(used, tag)).toEqual(expect.any(String));
      expect(await store.update(key, tag)).toBeUndefined();
      expect((await store.get(acme, 'key_1'))?.value).toEqual(used);
      await store.remove(acme, 'key_1');
      expect(await store.update(key, tag)).toBeUndefined();
      expect(await store.get(acme, 'key_1')).toBeUndefined();
    });

    it('holds the cap exactly, however many keys are made at the same time', async () => {
      const insert = (id: string, role: ApiKey['role'] = 'member') =>
        store.insert(anApiKey({ customerId: acme, id, role }), 5);
      const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => insert(`key_${i}`)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      for (const result of results) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'quota_reached', members: { limit: 5 } });
      }
      expect((await store.list(acme, { limit: 20 })).items).toHaveLength(5);
      await insert('key_operator', 'operator');
      const [first] = (await store.list(acme, { limit: 1 })).items;
      await store.remove(acme, first?.id ?? '');
      await insert('key_next');
      await expect(insert('key_last')).rejects.toMatchObject({ code: 'quota_reached' });
    });

    it('never removes an operator’s key with a customer', async () => {
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }), 9);
      await store.insert(anApiKey({ customerId: acme, id: 'key_2', role: 'operator' }), 9);
      await store.purge(acme);
      expect((await store.list(acme, { limit: 9 })).items.map(({ id }) => id)).toEqual(['key_2']);
    });

    it('removes one key or all keys of a customer, also twice', async () => {
      for (const id of ['key_1', 'key_2', 'key_3']) await store.insert(anApiKey({ customerId: acme, id }), 9);
      for (let i = 0; i < 2; i++) await store.remove(acme, 'key_2');
      expect((await store.list(acme, { limit: 9 })).items.map(({ id }) => id)).toEqual(['key_1', 'key_3']);
      for (let i = 0; i < 2; i++) await store.purge(acme);
      expect(await store.list(acme, { limit: 9 })).toEqual({ items: [] });
    });
  });
}
