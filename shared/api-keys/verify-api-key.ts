import { LRUCache } from 'lru-cache';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { hashKey, isSameHash, parseKeyText } from './key-text.ts';

export interface ApiKeyVerifier {
  /** Resolves to `undefined` when the key is unknown, wrong, expired or revoked. */
  verify(presented: string): Promise<Actor | undefined>;
  /** To be called after keys of a customer have been removed: this process then knows at once, others soon. */
  forget(customerId: string): void;
}

interface Needs {
  apiKeyStore: Pick<ApiKeyStore, 'get'>;
  clock: Clock;
  /** Whether this is the operator's key of the configuration. */
  isOperatorKey(presented: string): boolean;
}

interface Verified {
  actor: Actor;
  customerId: string;
  until: number;
}

const CACHED_MOST = 10_000;

/**
 * Verifies keys against their hashes, and remembers the good ones for `cachedMs` so that a busy client costs no storage
 * request per call. A key that was revoked elsewhere works on here for so long at most; an expired one not at all.
 */
export function createApiKeyVerifier(needs: Needs, { cachedMs }: { cachedMs: number }): ApiKeyVerifier {
  const cache = new LRUCache<string, Verified>({ max: CACHED_MOST });
  const underWay = new Map<string, Promise<Verified | undefined>>();
  let revocations = 0;

  async function look(presented: string, hash: string): Promise<Verified | undefined> {
    const named = parseKeyText(presented);
    if (!named) return undefined;
    const before = revocations;
    const key = await needs.apiKeyStore.get(named.customerId, named.keyId);
    if (!key || !isSameHash(key.hash, hash)) return undefined;
    const now = needs.clock.now().getTime();
    if (key.expiresAt && key.expiresAt.getTime() <= now) return undefined;
    const verified: Verified = {
      actor:
        key.role === 'operator'
          ? { keyId: key.id, role: key.role }
          : { keyId: key.id, role: key.role, customerId: key.customerId },
      customerId: key.customerId,
      until: Math.min(now + cachedMs, key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY),
    };
    // What was read before a revocation must not come back after it.
    if (before === revocations) cache.set(hash, verified);
    return verified;
  }

  return {
    async verify(presented) {
      if (needs.isOperatorKey(presented)) return { keyId: 'operator', role: 'operator' };
      const hash = hashKey(presented);
      const cached = cache.get(hash);
      if (cached && cached.until > needs.clock.now().getTime()) return cached.actor;
      cache.delete(hash);
      let looking = underWay.get(hash);
      if (!looking) {
        looking = look(presented, hash).finally(() => underWay.delete(hash));
        underWay.set(hash, looking);
      }
      return (await looking)?.actor;
    },
    forget(customerId) {
      revocations++;
      underWay.clear();
      for (const [hash, verified] of cache.entries()) if (verified.customerId === customerId) cache.delete(hash);
    },
  };
}
