import type { Tenant } from '../tenant.ts';
import { brokenJson, randomServerError } from './broken-responses.ts';
import type { GraphCall } from './graph-call.ts';
import { type GraphResponse, tooManyRequests } from './responses.ts';

/** Fails a share of the tenant's calls at random. Each part of a batch counts as a call of its own. */
export function randomFault(tenant: Tenant, call: GraphCall): GraphResponse | undefined {
  const rates = tenant.scenario.faultRates;
  if (!rates) return undefined;
  const chance = tenant.chance();
  if (chance < rates.throttled) {
    // Half of them have no Retry-After.
    return tooManyRequests(call, tenant.chance() < 0.5 ? {} : { 'Retry-After': String(rates.retryAfterSeconds) });
  }
  if (chance < rates.throttled + rates.unavailable) return randomServerError(tenant.chance(), call);
  if (chance < rates.throttled + rates.unavailable + rates.garbage) return brokenJson();
  return undefined;
}

/** Whether the reply to a request is lost, and if so whether before or after the request was carried out. */
export function randomLoss(tenant: Tenant): 'before' | 'after' | undefined {
  const dropped = tenant.scenario.faultRates?.dropped ?? 0;
  if (dropped === 0 || tenant.chance() >= dropped) return undefined;
  return tenant.chance() < 0.5 ? 'before' : 'after';
}
