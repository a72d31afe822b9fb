import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../shared/api-keys/api-key-store.ts';
import { quotaReached } from '../../shared/kernel/quota.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { pageOf } from './page-of.ts';

/** API keys in memory. */
export function inMemoryApiKeys(): ApiKeyStore & { reads: number; updates: number } {
  const kept = new Map<string, Tagged<ApiKey>>();
  let tags = 0;
  const keyOf = (customerId: string, keyId: string) => `${customerId}/${keyId}`;
  const put = (key: ApiKey) => {
    const tag = `tag-${++tags}`;
    kept.set(keyOf(key.customerId, key.id), { value: structuredClone(key), tag });
    return tag;
  };
  const ownOf = (customerId: string) =>
    [...kept.values()].map(({ value }) => value).filter((key) => key.customerId === customerId);
  const isOperators = ({ role }: ApiKey) => role === 'operator';
  const fake = {
    /** How often storage was asked for one key. */
    reads: 0,
    /** How often a key was written again. */
    updates: 0,
    async get(customerId: string, keyId: string) {
      fake.reads++;
      return structuredClone(kept.get(keyOf(customerId, keyId)));
    },
    async list(...[customerId, request, roles]: Parameters<ApiKeyStore['list']>) {
      const own = ownOf(customerId).filter((key) => !roles || roles.includes(key.role));
      return structuredClone(
        pageOf(
          own.sort((a, b) => (a.id < b.id ? -1 : 1)),
          request,
        ),
      );
    },
    async insert(key: ApiKey, keysMax: number) {
      const counted = ownOf(key.customerId).filter(
        (other) => other.id !== key.id && isOperators(other) === isOperators(key),
      );
      if (counted.length >= keysMax) throw quotaReached('API keys', keysMax, 'Revoke a key.');
      put(key);
    },
    async update(key: ApiKey, tag: string) {
      fake.updates++;
      return kept.get(keyOf(key.customerId, key.id))?.tag === tag ? put(key) : undefined;
    },
    async remove(customerId: string, keyId: string) {
      kept.delete(keyOf(customerId, keyId));
    },
    async purge(customerId: string) {
      for (const key of ownOf(customerId)) if (!isOperators(key)) kept.delete(keyOf(customerId, key.id));
    },
  };
  return fake;
}
