import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../shared/api-keys/api-key-store.ts';

const at = new Date('2026-06-01T00:00:00Z');
let serial = 0;

/** What every ApiKeyStore promises. Run against the fake and against Table Storage alike. */
export function describeApiKeyStore(name: string, create: () => ApiKeyStore): void {
  describe(`ApiKeyStore: ${name}`, () => {
    let store: ApiKeyStore;
    let acme: string;
    let globex: string;
    const key = (customerId: string, id: string, more: Partial<ApiKey> = {}): ApiKey => ({
      id,
      customerId,
      name: 'a key',
      role: 'member',
      hash: 'hash',
      createdAt: at,
      ...more,
    });
    beforeEach(() => {
      store = create();
      [acme, globex] = [`cust_a${++serial}`, `cust_b${serial}`];
    });

    it('gives back what was put in', async () => {
      const expiring = key(acme, 'key_2', { expiresAt: at });
      await store.insert(key(acme, 'key_1'));
      await store.insert(expiring);
      expect(await store.get(acme, 'key_1')).toEqual(key(acme, 'key_1'));
      expect(await store.get(acme, 'key_2')).toEqual(expiring);
    });

    it('does not show one customer’s key to another', async () => {
      await store.insert(key(acme, 'key_1'));
      expect(await store.get(globex, 'key_1')).toBeUndefined();
      expect(await store.list(globex, { limit: 9 })).toEqual({ items: [] });
      await store.remove(globex, 'key_1');
      await store.purge(globex);
      expect(await store.get(acme, 'key_1')).toBeDefined();
    });

    it('lists in order, page by page, by role', async () => {
      for (const [id, role] of [
        ['key_3', 'owner'],
        ['key_1', 'operator'],
        ['key_2', 'viewer'],
      ] as const) {
        await store.insert(key(acme, id, { role }));
      }
      const ids = async (...args: Parameters<ApiKeyStore['list']>) =>
        (await store.list(...args)).items.map(({ id }) => id);
      expect(await ids(acme, { limit: 9 })).toEqual(['key_1', 'key_2', 'key_3']);
      expect(await ids(acme, { limit: 9 }, ['owner', 'viewer'])).toEqual(['key_2', 'key_3']);
      const { cursor = '' } = await store.list(acme, { limit: 1 }, ['owner', 'viewer']);
      expect(await ids(acme, { limit: 1, cursor }, ['owner', 'viewer'])).toEqual(['key_3']);
    });

    it('removes one, or all of a customer, and again', async () => {
      for (const id of ['key_1', 'key_2', 'key_3']) await store.insert(key(acme, id));
      for (let i = 0; i < 2; i++) await store.remove(acme, 'key_2');
      expect((await store.list(acme, { limit: 9 })).items.map(({ id }) => id)).toEqual(['key_1', 'key_3']);
      for (let i = 0; i < 2; i++) await store.purge(acme);
      expect(await store.list(acme, { limit: 9 })).toEqual({ items: [] });
    });
  });
}
