import { TokenBucket } from 'limiter';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../../kernel/actor.ts';

/** What is left of one limit after a request. */
export interface Budget {
  /** The name of the policy in the `RateLimit` headers. */
  policy: string;
  quota: number;
  windowSeconds: number;
  remaining: number;
  /** When all of the quota is back, if nothing is asked until then. */
  resetSeconds: number;
  isExceeded: boolean;
  /** When the next request is allowed. 0 if it is allowed now. */
  retryAfterSeconds: number;
}

/** Counts requests in this process. Other processes count on their own, so every limit is approximate. */
export interface RateLimits {
  /** Counts a request against its key and, unless the key is an operator's, against its customer. */
  countRequest(actor: Actor): Budget[];
  /** Counts a request that makes us ask Microsoft and the vault, past every cache. */
  countConnectionTest(customerId: string): Budget;
  /** Counts a request that makes a key in the vault. */
  countMadeKey(customerId: string): Budget;
  /** Counts a failed authentication. Callers whose address is unknown share one budget. */
  countFailedKey(address: string | undefined): Budget;
  /** The budget of an address that has used up its failed authentications. Counts nothing. */
  checkFailedKeys(address: string | undefined): Budget | undefined;
  /** Counts a request that needs no API key. Each route has budgets of its own, so that no other route uses up its. */
  countPublicRequest(route: string, address: string): Budget;
}

export interface RateLimitSettings {
  requestsPerKey: number;
  requestsPerCustomer: number;
  requestsWindowMs: number;
  connectionTestsPerMinute: number;
  madeKeysPerMinute: number;
  failedKeysPerMinute: number;
  publicRequestsPerMinute: number;
}

const MINUTE_SECONDS = 60;
const UNKNOWN_ADDRESS = 'unknown';
/** A bucket takes about 200 bytes. If more callers than this come within a window, the longest silent ones start anew. */
const BUCKETS_MAX = 100_000;

export function createRateLimits(settings: RateLimitSettings): RateLimits {
  const windowSeconds = Math.max(1, Math.round(settings.requestsWindowMs / 1000));
  const keys = createLimit('key', settings.requestsPerKey, windowSeconds);
  const customers = createLimit('customer', settings.requestsPerCustomer, windowSeconds);
  const tests = createLimit('connection-tests', settings.connectionTestsPerMinute, MINUTE_SECONDS);
  const madeKeys = createLimit('certificates', settings.madeKeysPerMinute, MINUTE_SECONDS);
  const failures = createLimit('failed-keys', settings.failedKeysPerMinute, MINUTE_SECONDS);
  const publicRequests = createLimit('address', settings.publicRequestsPerMinute, MINUTE_SECONDS);
  return {
    countRequest: ({ keyId, customerId }) => [
      keys.count(keyId),
      ...(customerId === undefined ? [] : [customers.count(customerId)]),
    ],
    countConnectionTest: (customerId) => tests.count(customerId),
    countMadeKey: (customerId) => madeKeys.count(customerId),
    countFailedKey: (address = UNKNOWN_ADDRESS) => failures.count(address),
    checkFailedKeys: (address = UNKNOWN_ADDRESS) => failures.peek(address),
    countPublicRequest: (route, address) => publicRequests.count(`${route} ${address}`),
  };
}

/**
 * One limit, with a token bucket for each key, customer or address. A bucket is full at first and fills up evenly, once
 * in each window: a caller can spend its whole quota immediately, and then as much as comes in.
 */
function createLimit(policy: string, quota: number, windowSeconds: number) {
  const windowMs = windowSeconds * 1000;
  // A bucket that nobody has used for a window is full again, and the same as a new one.
  // With `max`, the cache would take the memory for all buckets when it is created. With a size of 1 each, it grows.
  const buckets = new LRUCache<string, TokenBucket>({
    maxSize: BUCKETS_MAX,
    sizeCalculation: () => 1,
    ttl: windowMs,
    updateAgeOnGet: true,
    perf: performance,
  });

  function bucketOf(caller: string): TokenBucket {
    const found = buckets.get(caller);
    if (found) return found;
    const bucket = new TokenBucket({ bucketSize: quota, tokensPerInterval: quota, interval: windowMs });
    bucket.content = quota;
    buckets.set(caller, bucket);
    return bucket;
  }

  function toBudget(bucket: TokenBucket, isExceeded: boolean): Budget {
    return {
      policy,
      quota,
      windowSeconds,
      remaining: Math.floor(bucket.content),
      resetSeconds: Math.max(1, Math.ceil(bucket.getWaitTime(quota) / 1000)),
      isExceeded,
      retryAfterSeconds: isExceeded ? Math.max(1, Math.ceil(bucket.getWaitTime(1) / 1000)) : 0,
    };
  }

  return {
    count(caller: string): Budget {
      const bucket = bucketOf(caller);
      return toBudget(bucket, !bucket.tryRemoveTokens(1));
    },
    peek(caller: string): Budget | undefined {
      const bucket = buckets.get(caller);
      return bucket && bucket.getWaitTime(1) > 0 ? toBudget(bucket, true) : undefined;
    },
  };
}
