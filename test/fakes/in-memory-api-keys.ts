import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../shared/api-keys/api-key-store.ts';
import { pageOf } from './page-of.ts';

/** API keys in memory. */
export function inMemoryApiKeys(): ApiKeyStore & { reads: number } {
  let keys: ApiKey[] = [];
  const fake = {
    /** How often storage was asked for one key. */
    reads: 0,
    async get(customerId: string, keyId: string) {
      fake.reads++;
      return keys.find((key) => key.customerId === customerId && key.id === keyId);
    },
    async list(...[customerId, request, roles]: Parameters<ApiKeyStore['list']>) {
      const own = keys.filter((key) => key.customerId === customerId && (!roles || roles.includes(key.role)));
      return pageOf(
        own.sort((a, b) => (a.id < b.id ? -1 : 1)),
        request,
      );
    },
    async insert(key: ApiKey) {
      keys.push({ ...key });
    },
    async remove(customerId: string, keyId: string) {
      keys = keys.filter((key) => key.customerId !== customerId || key.id !== keyId);
    },
    async purge(customerId: string) {
      keys = keys.filter((key) => key.customerId !== customerId);
    },
  };
  return fake;
}
