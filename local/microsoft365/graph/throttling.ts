import type { Tenant, TenantApp } from '../tenant.ts';
import type { GraphCall } from './graph-call.ts';
import { exchangeError, type GraphResponse, tooManyRequests } from './responses.ts';

/** How many calls at a time Exchange allows one app at one mailbox. A scenario can change it. */
const MAILBOX_CONCURRENCY_MAX = 4;

export const concurrencyMaxOf = (tenant: Tenant): number =>
  tenant.scenario.throttle?.perMailboxConcurrent ?? MAILBOX_CONCURRENCY_MAX;

export function overConcurrency(tenant: Tenant): GraphResponse {
  const headers = tenant.scenario.throttle ? retryAfter(tenant) : { 'Retry-After': '1' };
  return exchangeError(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', headers);
}

/** Counts the call, refused ones included. Returns the used share of the app's limit in the tenant; 1 is all of it. */
export function countCall(tenant: Tenant, app: TenantApp, now: number): number {
  const limit = tenant.scenario.throttle?.perAppPerTenantPer10s;
  if (limit === undefined) return 0;
  const calls = app.calls.add(now);
  return limit === 0 ? Number.POSITIVE_INFINITY : calls / limit;
}

/** Refuses the call if the app is over its limit in the tenant. Only the directory says which limit that is. */
export function overRate(
  { tenant, app }: { tenant: Tenant; app: TenantApp },
  usedShare: number,
  call: GraphCall,
  isDirectory: boolean,
): GraphResponse | undefined {
  if (usedShare <= 1) return undefined;
  const scope = {
    'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${app.scenario.clientId}/${tenant.id}`,
    'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
  };
  return tooManyRequests(call, { ...retryAfter(tenant), ...(isDirectory ? scope : {}) });
}

/** The header that the directory adds when an app comes close to its limit. */
export function nearLimitHeader(usedShare: number): Record<string, string> {
  return usedShare < 0.8 ? {} : { 'x-ms-throttle-limit-percentage': usedShare.toFixed(2) };
}

function retryAfter({ scenario }: Tenant): Record<string, string> {
  const throttle = scenario.throttle;
  if (!throttle || throttle.omitRetryAfter) return {};
  const seconds = throttle.retryAfterSeconds;
  if (throttle.retryAfterForm === 'date') {
    return { 'Retry-After': new Date(Date.now() + seconds * 1000).toUTCString() };
  }
  if (throttle.retryAfterForm === 'doubled') return { 'Retry-After': `${seconds}, ${seconds}` };
  return { 'Retry-After': String(seconds) };
}
