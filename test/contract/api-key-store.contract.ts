import { beforeEach, describe, expect, it } from 'vitest';
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
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }));
      await store.insert(expiring);
      expect(await store.get(acme, 'key_1')).toEqual(anApiKey({ customerId: acme, id: 'key_1' }));
      expect(await store.get(acme, 'key_2')).toEqual(expiring);
    });

    it('replaces a key that is inserted again with the same ID', async () => {
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }));
      const second = anApiKey({ customerId: acme, id: 'key_1', hash: 'second' });
      await store.insert(second);
      expect((await store.list(acme, { limit: 9 })).items).toEqual([second]);
    });

    it('does not show one customer’s key to another', async () => {
      await store.insert(anApiKey({ customerId: acme, id: 'key_1' }));
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
        await store.insert(anApiKey({ customerId: acme, id, role }));
      }
      const ids = async (...args: Parameters<ApiKeyStore['list']>) =>
        (await store.list(...args)).items.map(({ id }) => id);
      expect(await ids(acme, { limit: 9 })).toEqual(['key_1', 'key_2', 'key_3']);
      expect(await ids(acme, { limit: 9 }, ['owner', 'viewer'])).toEqual(['key_2', 'key_3']);
      const { cursor = '' } = await store.list(acme, { limit: 1 }, ['owner', 'viewer']);
      expect(await ids(acme, { limit: 1, cursor }, ['owner', 'viewer'])).toEqual(['key_3']);
    });

    it('removes one key or all keys of a customer, also twice', async () => {
      for (const id of ['key_1', 'key_2', 'key_3']) await store.insert(anApiKey({ customerId: acme, id }));
      for (let i = 0; i < 2; i++) await store.remove(acme, 'key_2');
      expect((await store.list(acme, { limit: 9 })).items.map(({ id }) => id)).toEqual(['key_1', 'key_3']);
      for (let i = 0; i < 2; i++) await store.purge(acme);
      expect(await store.list(acme, { limit: 9 })).toEqual({ items: [] });
    });
  });
}
