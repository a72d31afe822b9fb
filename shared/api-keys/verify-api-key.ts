import { LRUCache } from 'lru-cache';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { hashKey, isSameHash, parseKeyText } from './key-text.ts';
import { noteUse } from './note-use.ts';

export interface ApiKeyVerifier {
  /** Resolves to `undefined` if the key is unknown, wrong, expired or revoked, or its customer is disabled. */
  verify(presented: string): Promise<Actor | undefined>;
  /**
   * Whether the key was valid when this process last looked it up, however long ago. `verify` still has to decide. Tells
   * a customer's own requests from those of a stranger at the same address who guesses keys.
   */
  hasVerified(presented: string): boolean;
  /**
   * Clears the cache of a customer's keys. Call it after changing or removing keys. Other processes notice once their
   * cache expires.
   */
  forget(customerId: string): void;
}

interface Deps {
  apiKeyStore: Pick<ApiKeyStore, 'get' | 'update'>;
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

/** What storage said about the ID in a key that turned out to be wrong. */
interface Refused {
  /** The hash of the right key. Absent if no key with this ID works: there is none, or it has expired. */
  hash: string | undefined;
  until: number;
}

const CACHED_MAX = 10_000;

/**
 * Verifies keys against their hashes.
 *
 * Caches valid keys for `cachedMs`, so that not every call costs a storage request. A key that was revoked in another
 * process still works here for up to `cachedMs`. An expired key never works.
 *
 * Caches the ID in a wrong key for `unknownCachedMs`: neither repeating the same key nor guessing the secret of a known
 * ID costs a storage request each, nor does a client that goes on using an expired key.
 */
export function createApiKeyVerifier(
  deps: Deps,
  { cachedMs, unknownCachedMs }: { cachedMs: number; unknownCachedMs: number },
): ApiKeyVerifier {
  const cache = new LRUCache<string, Verified>({ max: CACHED_MAX });
  const refused = new LRUCache<string, Refused>({ max: CACHED_MAX });
  const pending = new Map<string, Promise<Verified | undefined>>();
  let revocations = 0;

  async function readKey(presented: string, hash: string): Promise<Verified | undefined> {
    const ids = parseKeyText(presented);
    if (!ids) return undefined;
    const id = `${ids.customerId}/${ids.keyId}`;
    const known = refused.get(id);
    if (known && known.until > deps.clock.now().getTime() && !(known.hash && isSameHash(known.hash, hash))) {
      return undefined;
    }
    const revocationsBefore = revocations;
    const found = await deps.apiKeyStore.get(ids.customerId, ids.keyId);
    const now = deps.clock.now();
    const expiresAt = found?.value.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    const isAlive = found !== undefined && expiresAt > now.getTime();
    if (!isAlive || !isSameHash(found.value.hash, hash)) {
      refused.set(id, { hash: isAlive ? found.value.hash : undefined, until: now.getTime() + unknownCachedMs });
      return undefined;
    }
    const key = found.value;
    if (key.role !== 'operator' && !(await deps.customers.exists(key.customerId))) return undefined;
    const verified: Verified = {
      actor: toActor(key),
      customerId: key.customerId,
      until: Math.min(now.getTime() + cachedMs, expiresAt),
    };
    // A key that was read before a revocation must not enter the cache after it.
    if (revocationsBefore === revocations) cache.set(hash, verified);
    noteUse(deps.apiKeyStore, found, now);
    return verified;
  }

  /** Several requests with the same key at the same time share one read. */
  async function readOnce(presented: string, hash: string): Promise<Verified | undefined> {
    let reading = pending.get(hash);
    if (!reading) {
      reading = readKey(presented, hash).finally(() => pending.delete(hash));
      pending.set(hash, reading);
    }
    return reading;
  }

  return {
    async verify(presented) {
      if (deps.isOperatorKey(presented)) return { keyId: 'operator', role: 'operator' };
      const hash = hashKey(presented);
      const cached = cache.get(hash);
      if (cached && cached.until > deps.clock.now().getTime()) return cached.actor;
      const verified = await readOnce(presented, hash);
      if (!verified) cache.delete(hash);
      return verified?.actor;
    },
    hasVerified: (presented) => deps.isOperatorKey(presented) || cache.has(hashKey(presented)),
    forget(customerId) {
      revocations++;
      pending.clear();
      for (const [hash, verified] of cache.entries()) if (verified.customerId === customerId) cache.delete(hash);
    },
  };
}

function toActor({ id: keyId, role, customerId }: ApiKey): Actor {
  return role === 'operator' ? { keyId, role } : { keyId, role, customerId };
}
