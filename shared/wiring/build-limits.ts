import { createRateLimits } from '../edge/admission/rate-limits.ts';
import { createTurns } from '../edge/admission/turns.ts';
import { createPlaces } from '../edge/streaming/places.ts';
import type { Quotas } from '../kernel/quota.ts';
import type { Config } from './config.ts';

/** Builds what keeps one customer from using up what all share. */
export function buildLimits(settings: Config['settings']) {
  const quotas: Quotas = {
    connectionsMax: settings.CONNECTIONS_MAX,
    keysMax: settings.KEYS_MAX,
    webhooksMax: settings.WEBHOOKS_MAX,
    runningImportsMax: settings.RUNNING_IMPORTS_MAX,
    rejectedRowsMax: settings.REJECTED_ROWS_MAX,
  };
  const rateLimits = createRateLimits({
    requestsPerKey: settings.REQUESTS_PER_KEY,
    requestsPerCustomer: settings.REQUESTS_PER_CUSTOMER,
    requestsWindowMs: settings.REQUESTS_WINDOW,
    connectionTestsPerMinute: settings.CONNECTION_TESTS_PER_MINUTE,
    madeKeysPerMinute: settings.CERTIFICATES_PER_MINUTE,
    failedKeysPerMinute: settings.FAILED_KEYS_PER_MINUTE,
    publicRequestsPerMinute: settings.PUBLIC_REQUESTS_PER_MINUTE,
  });
  const turns = createTurns({
    requestsAtOnce: settings.REQUESTS_AT_ONCE,
    requestsWaiting: settings.REQUESTS_WAITING,
  });
  return {
    quotas,
    rateLimits,
    turns,
    downloadPlaces: createPlaces(settings.DOWNLOADS_AT_ONCE),
    eventPlaces: createPlaces(settings.EVENT_STREAMS_AT_ONCE),
  };
}
