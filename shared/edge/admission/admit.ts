import type { HttpRequest } from '@azure/functions';
import type { Actor, Permission } from '../../kernel/actor.ts';
import type { Exchange } from '../answers/guarded.ts';
import {
  type AuthenticationDeps,
  actForCustomer,
  authenticate,
  noValidKey,
  requirePermission,
} from './authenticate.ts';
import { rateLimitHeaders, refuseExceeded } from './rate-limit-headers.ts';
import type { RateLimits } from './rate-limits.ts';
import { lineOf } from './serve-in-turn.ts';
import type { Turns } from './turns.ts';

export interface AdmissionDeps extends AuthenticationDeps {
  rateLimits: RateLimits;
  turns: Turns;
  customers: {
    /** Whether the customer exists. A customer that is being deleted does not. */
    exists(customerId: string): Promise<boolean>;
  };
}

interface AdmittedRoute {
  permission: Permission;
  customer?: 'required' | 'none';
}

/**
 * Lets a request in: who is calling, not too often, with a role that allows it, for which customer? What the caller has
 * left of its limits goes on the answer, also when the answer is a refusal.
 *
 * @throws DomainError `unauthenticated`, `rate_limited`, `forbidden`, `customer_required`, `not_found`
 */
export async function admit(
  deps: AdmissionDeps,
  route: AdmittedRoute,
  request: HttpRequest,
  exchange: Exchange,
): Promise<Actor> {
  const actor = await authenticate(deps, request);
  exchange.caller = actor;
  const budgets = deps.rateLimits.countRequest(actor);
  Object.assign(exchange.headers, rateLimitHeaders(budgets));
  await refuseExceeded(deps, lineOf(actor), budgets);
  requirePermission(actor, route.permission);
  const acting = route.customer === 'none' ? actor : await actForCustomer(deps, actor, request);
  exchange.caller = acting;
  // A key is remembered for a while, also that of a customer that was just deleted. It must leave nothing behind.
  const changedBy = request.method === 'GET' || actor.role === 'operator' ? undefined : actor.customerId;
  if (changedBy !== undefined && !(await deps.customers.exists(changedBy))) throw noValidKey();
  return acting;
}

/**
 * Counts a request that costs more than others: it asks Microsoft and the vault, or makes a key there. Call it when the
 * request is known to be well formed: a mistyped one asks nobody.
 *
 * @throws DomainError `rate_limited`
 */
export async function admitCostly(
  deps: AdmissionDeps,
  count: 'countConnectionTest' | 'countMadeKey',
  acting: Actor,
  exchange: Exchange,
): Promise<void> {
  if (acting.customerId === undefined) return;
  const budgets = [deps.rateLimits[count](acting.customerId)];
  for (const [name, value] of Object.entries(rateLimitHeaders(budgets))) {
    exchange.headers[name] = [exchange.headers[name], value].filter(Boolean).join(', ');
  }
  await refuseExceeded(deps, lineOf(acting), budgets);
}
