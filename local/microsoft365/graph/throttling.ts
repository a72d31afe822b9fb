import type { Tenant, TenantApp } from '../tenant.ts';
import { exchangeError, type GraphAnswer, type GraphCall, tooManyRequests } from './answers.ts';
import { brokenGateway, garbage } from './mailbox-faults.ts';

/** What Exchange allows an app at one mailbox unless the scenario says otherwise. */
const usualConcurrency = 4;

export const concurrencyOf = (tenant: Tenant): number =>
  tenant.scenario.throttle?.perMailboxConcurrent ?? usualConcurrency;

export function overConcurrency(tenant: Tenant): GraphAnswer {
  const headers = tenant.scenario.throttle ? retryAfter(tenant) : { 'Retry-After': '1' };
  return exchangeError(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', headers);
}

/** Counts the call, and says what share of the app's limit in the tenant is used up; refused calls count as well. */
export function countCall(tenant: Tenant, app: TenantApp, now: number): number {
  const most = tenant.scenario.throttle?.perAppPerTenantPer10s;
  if (most === undefined) return 0;
  const calls = app.calls.add(now);
  return most === 0 ? Number.POSITIVE_INFINITY : calls / most;
}

/** Refuses when the app is over its limit in the tenant; the directory says which limit that was. */
export function overRate(
  { tenant, app }: { tenant: Tenant; app: TenantApp },
  share: number,
  call: GraphCall,
  isDirectory: boolean,
): GraphAnswer | undefined {
  if (share <= 1) return undefined;
  const scope = {
    'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${app.scenario.clientId}/${tenant.id}`,
    'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
  };
  return tooManyRequests(call, { ...retryAfter(tenant), ...(isDirectory ? scope : {}) });
}

/** What the directory adds to its answers when an app comes near its limit. */
export function nearLimit(share: number): Record<string, string> {
  return share < 0.8 ? {} : { 'x-ms-throttle-limit-percentage': share.toFixed(2) };
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

/** A share of the tenant's calls that goes wrong by chance: a part of a batch, or a plain call, each on its own. */
export function faultByChance(tenant: Tenant, call: GraphCall): GraphAnswer | undefined {
  const rates = tenant.scenario.faultRates;
  if (!rates) return undefined;
  const chance = tenant.chance();
  if (chance < rates.throttled) {
    // Every other one names no time.
    return tooManyRequests(call, tenant.chance() < 0.5 ? {} : { 'Retry-After': String(rates.retryAfterSeconds) });
  }
  if (chance < rates.throttled + rates.unavailable) return brokenGateway(tenant.chance(), call);
  if (chance < rates.throttled + rates.unavailable + rates.garbage) return garbage();
  return undefined;
}

/** Whether the answer to an HTTP request is lost: before anything was done, or after. */
export function lossByChance(tenant: Tenant): 'before' | 'after' | undefined {
  const dropped = tenant.scenario.faultRates?.dropped ?? 0;
  if (dropped === 0 || tenant.chance() >= dropped) return undefined;
  return tenant.chance() < 0.5 ? 'before' : 'after';
}
