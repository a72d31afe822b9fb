import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Actor } from '../kernel/actor.ts';

/** What is left of one limit after a request. */
export interface Budget {
  /** The name of the policy in the `RateLimit` headers. */
  policy: string;
  quota: number;
  windowSeconds: number;
  remaining: number;
  resetSeconds: number;
  isExceeded: boolean;
}

/** Counts requests in this process. Other processes count on their own, so every limit is approximate. */
export interface RateLimits {
  /** Counts a request against its key and, unless the key is an operator's, against its customer. */
  countRequest(actor: Actor): Promise<Budget[]>;
  /** Counts a request that makes us ask Microsoft and the vault, past every cache. */
  countConnectionTest(customerId: string): Promise<Budget>;
  /** Counts a failed authentication. Callers whose address is unknown share one budget. */
  countFailedKey(address: string | undefined): Promise<Budget>;
  /** Whether this address has used up its budget of failed authentications. Counts nothing. */
  checkFailedKeys(address: string | undefined): Promise<Budget | undefined>;
  /** Counts a request that needs no API key. Each route has budgets of its own, so that no other route uses up its. */
  countPublicRequest(route: string, address: string): Promise<Budget>;
}

export interface RateLimitSettings {
  requestsPerKey: number;
  requestsPerCustomer: number;
  requestsWindowMs: number;
  connectionTestsPerMinute: number;
  failedKeysPerMinute: number;
  publicRequestsPerMinute: number;
}

const MINUTE_SECONDS = 60;
const UNKNOWN_ADDRESS = 'unknown';

export function createRateLimits(settings: RateLimitSettings): RateLimits {
  const windowSeconds = Math.max(1, Math.round(settings.requestsWindowMs / 1000));
  const keys = createBucket('key', settings.requestsPerKey, windowSeconds);
  const customers = createBucket('customer', settings.requestsPerCustomer, windowSeconds);
  const tests = createBucket('connection-tests', settings.connectionTestsPerMinute, MINUTE_SECONDS);
  const failures = createBucket('failed-keys', settings.failedKeysPerMinute, MINUTE_SECONDS);
  const publicRequests = createBucket('address', settings.publicRequestsPerMinute, MINUTE_SECONDS);
  return {
    countRequest: ({ keyId, customerId }) =>
      Promise.all([keys.count(keyId), ...(customerId === undefined ? [] : [customers.count(customerId)])]),
    countConnectionTest: (customerId) => tests.count(customerId),
    countFailedKey: (address = UNKNOWN_ADDRESS) => failures.count(address),
    checkFailedKeys: (address = UNKNOWN_ADDRESS) => failures.peek(address),
    countPublicRequest: (route, address) => publicRequests.count(`${route} ${address}`),
  };
}

/** One limit, with a count for each key or customer or address that ends when its window does. */
function createBucket(policy: string, quota: number, windowSeconds: number) {
  const limiter = new RateLimiterMemory({ points: quota, duration: windowSeconds });
  const toBudget = (left: RateLimiterRes, isExceeded: boolean): Budget => ({
    policy,
    quota,
    windowSeconds,
    remaining: left.remainingPoints,
    resetSeconds: Math.max(1, Math.ceil(left.msBeforeNext / 1000)),
    isExceeded,
  });
  return {
    async count(key: string): Promise<Budget> {
      try {
        return toBudget(await limiter.consume(key), false);
      } catch (refusal) {
        // The library rejects with the state of the limit when it is exceeded.
        if (refusal instanceof RateLimiterRes) return toBudget(refusal, true);
        throw refusal;
      }
    },
    async peek(key: string): Promise<Budget | undefined> {
      const left = await limiter.get(key);
      return left && left.remainingPoints <= 0 ? toBudget(left, true) : undefined;
    },
  };
}
