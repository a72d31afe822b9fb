import { LRUCache } from 'lru-cache';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { hashKey, isSameHash, parseKeyText } from './key-text.ts';

export interface ApiKeyVerifier {
  /** Resolves to `undefined` if the key is unknown, wrong, expired or revoked, or its customer is disabled. */
  verify(presented: string): Promise<Actor | undefined>;
  /**
   * Clears the cache of a customer's keys. Call it after removing keys. Other processes notice once their cache
   * expires.
   */
  forget(customerId: string): void;
}

interface Deps {
  apiKeyStore: Pick<ApiKeyStore, 'get'>;
  customers: {
    /** `false` for a customer whose deletion has begun: its keys stay stored, but do not work. */
    exists(customerId: string): Promise<boolean>;
  };
  clock: Clock;
  /** Whether this is the operator's key from the configuration. */
  isOperatorKey(presented: string): boolean;
}

interface Verified {
  actor: Actor;
  customerId: string;
  until: number;
}

const CACHED_MAX = 10_000;

/**
 * Verifies keys against their hashes. Caches valid keys for `cachedMs`, so that not every call costs a storage request.
 * A key that was revoked in another process still works here for up to `cachedMs`. An expired key never works.
 */
export function createApiKeyVerifier(deps: Deps, { cachedMs }: { cachedMs: number }): ApiKeyVerifier {
  const cache = new LRUCache<string, Verified>({ max: CACHED_MAX });
  const pending = new Map<string, Promise<Verified | undefined>>();
  let revocations = 0;

  async function readKey(presented: string, hash: string): Promise<Verified | undefined> {
    const ids = parseKeyText(presented);
    if (!ids) return undefined;
    const revocationsBefore = revocations;
    const key = await deps.apiKeyStore.get(ids.customerId, ids.keyId);
    if (!key || !isSameHash(key.hash, hash)) return undefined;
    if (key.role !== 'operator' && !(await deps.customers.exists(key.customerId))) return undefined;
    const now = deps.clock.now().getTime();
    if (key.expiresAt && key.expiresAt.getTime() <= now) return undefined;
    const verified: Verified = {
      actor:
        key.role === 'operator'
          ? { keyId: key.id, role: key.role }
          : { keyId: key.id, role: key.role, customerId: key.customerId },
      customerId: key.customerId,
      until: Math.min(now + cachedMs, key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY),
    };
    // A key that was read before a revocation must not enter the cache after it.
    if (revocationsBefore === revocations) cache.set(hash, verified);
    return verified;
  }

  return {
    async verify(presented) {
      if (deps.isOperatorKey(presented)) return { keyId: 'operator', role: 'operator' };
      const hash = hashKey(presented);
      const cached = cache.get(hash);
      if (cached && cached.until > deps.clock.now().getTime()) return cached.actor;
      cache.delete(hash);
      let reading = pending.get(hash);
      if (!reading) {
        reading = readKey(presented, hash).finally(() => pending.delete(hash));
        pending.set(hash, reading);
      }
      return (await reading)?.actor;
    },
    forget(customerId) {
      revocations++;
      pending.clear();
      for (const [hash, verified] of cache.entries()) if (verified.customerId === customerId) cache.delete(hash);
    },
  };
}
