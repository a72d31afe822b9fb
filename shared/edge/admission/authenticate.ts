import type { HttpRequest } from '@azure/functions';
import { type Actor, type CustomerActor, isAllowed, type Permission } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import { isId, notFound } from '../../kernel/ids.ts';
import { callerAddress } from '../requests/caller-address.ts';
import { refuseExceeded } from './rate-limit-headers.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Turns } from './turns.ts';

export interface AuthenticationDeps {
  apiKeys: {
    /** Resolves to `undefined` if the key is unknown, wrong, expired or revoked. */
    verify(presented: string): Promise<Actor | undefined>;
    /** Whether the key was valid when this process last looked it up. */
    hasVerified(presented: string): boolean;
  };
  rateLimits: Pick<RateLimits, 'checkFailedKeys' | 'countFailedKey'>;
  turns: Pick<Turns, 'holdRefusal'>;
}

const CUSTOMER_HEADER = 'Muster-Customer';

/** The key in `Authorization: Bearer …`, if there is one. */
export function bearerOf(headers: Pick<HttpRequest['headers'], 'get'>): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
}

/**
 * Identifies the caller by its API key.
 *
 * An address that has sent too many wrong keys must wait before another key is looked up. Keys that have worked here
 * before are exempt: one outdated key must not stop everyone behind the same address.
 *
 * @throws DomainError `unauthenticated`, `rate_limited`
 */
export async function authenticate(deps: AuthenticationDeps, request: Pick<HttpRequest, 'headers'>): Promise<Actor> {
  const { apiKeys, rateLimits } = deps;
  const presented = bearerOf(request.headers);
  const address = callerAddress(request);
  if (presented === undefined || !apiKeys.hasVerified(presented)) {
    const usedUp = rateLimits.checkFailedKeys(address);
    if (usedUp) await refuseExceeded(deps, `address ${address}`, [usedUp]);
  }
  const actor = presented === undefined ? undefined : await apiKeys.verify(presented);
  if (actor) return actor;
  rateLimits.countFailedKey(address);
  throw noValidKey();
}

/** Whether the key of a request that goes on for a while still works. What cannot be looked up has not been revoked. */
export async function isStillValid(
  { apiKeys }: Pick<AuthenticationDeps, 'apiKeys'>,
  headers: Pick<HttpRequest['headers'], 'get'>,
): Promise<boolean> {
  const presented = bearerOf(headers);
  if (presented === undefined) return false;
  return await apiKeys.verify(presented).then(
    (actor) => actor !== undefined,
    () => true,
  );
}

export function noValidKey(): DomainError {
  return new DomainError('unauthenticated', 'Send a valid API key in the header "Authorization: Bearer <key>".');
}

/** @throws DomainError `forbidden` if the actor's role does not allow this */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (isAllowed(actor.role, permission)) return;
  throw new DomainError('forbidden', `A key with the role ${actor.role} cannot do this. Use a key with a higher role.`);
}

/** The customer that the request names in `Muster-Customer`, if it does. Only operators may act on it. */
export function namedCustomer(request: Pick<HttpRequest, 'headers'>): string | undefined {
  return request.headers.get(CUSTOMER_HEADER)?.trim() || undefined;
}

/**
 * Decides for which customer the actor acts: its own, or the one that an operator names.
 *
 * @throws DomainError `customer_required`, `not_found`
 */
export async function actForCustomer(
  deps: { customers: { exists(customerId: string): Promise<boolean> } },
  actor: Actor,
  request: Pick<HttpRequest, 'headers'>,
): Promise<CustomerActor> {
  if (actor.role !== 'operator') {
    if (actor.customerId === undefined) throw new Error(`the key ${actor.keyId} belongs to no customer`);
    return { ...actor, customerId: actor.customerId };
  }
  const customerId = namedCustomer(request);
  if (customerId === undefined) {
    throw new DomainError(
      'customer_required',
      `Name the customer in the header ${CUSTOMER_HEADER}. An operator key belongs to no customer.`,
    );
  }
  if (!isId('cust', customerId) || !(await deps.customers.exists(customerId))) throw notFound('cust');
  return { ...actor, customerId };
}
