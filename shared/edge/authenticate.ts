import type { HttpRequest } from '@azure/functions';
import { type Actor, type CustomerActor, isAllowed, type Permission } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import { isId, notFound } from '../kernel/ids.ts';

export interface AuthenticationDeps {
  apiKeys: {
    /** Resolves to `undefined` if the key is unknown, wrong, expired or revoked. */
    verify(presented: string): Promise<Actor | undefined>;
  };
}

const CUSTOMER_HEADER = 'Muster-Customer';

/** The key in `Authorization: Bearer …`, if there is one. */
export function bearerOf(headers: Pick<HttpRequest['headers'], 'get'>): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
}

/**
 * Identifies the caller and checks that its role has the permission.
 *
 * @throws DomainError `unauthenticated`, `forbidden`
 */
export async function authenticate(
  deps: AuthenticationDeps,
  request: Pick<HttpRequest, 'headers'>,
  permission: Permission,
): Promise<Actor> {
  const presented = bearerOf(request.headers);
  const actor = presented === undefined ? undefined : await deps.apiKeys.verify(presented);
  if (!actor) {
    throw new DomainError('unauthenticated', 'Send a valid API key in the header "Authorization: Bearer <key>".');
  }
  if (!isAllowed(actor.role, permission)) {
    throw new DomainError(
      'forbidden',
      `A key with the role ${actor.role} cannot do this. Use a key with a higher role.`,
    );
  }
  return actor;
}

/** Whether the request names a customer. */
export function namesCustomer(request: Pick<HttpRequest, 'headers'>): boolean {
  return Boolean(request.headers.get(CUSTOMER_HEADER)?.trim());
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
  const customerId = request.headers.get(CUSTOMER_HEADER)?.trim();
  if (!customerId) {
    throw new DomainError(
      'customer_required',
      `Name the customer in the header ${CUSTOMER_HEADER}. An operator key belongs to no customer.`,
    );
  }
  if (!isId('cust', customerId) || !(await deps.customers.exists(customerId))) throw notFound('cust');
  return { ...actor, customerId };
}
