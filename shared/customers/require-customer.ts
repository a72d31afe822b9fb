import type { Actor } from '../kernel/actor.ts';
import type { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';

/**
 * Refuses an actor of another customer. The answer is the same as for a customer that does not exist. Otherwise a
 * customer could find out which IDs others have.
 *
 * @throws DomainError `not_found`
 */
export function requireOwn(actor: Actor, customerId: string): void {
  if (actor.role !== 'operator' && actor.customerId !== customerId) throw noSuchCustomer();
}

/**
 * Finds a customer that the actor may see: its own, or any customer for an operator.
 *
 * @throws DomainError `not_found`, also if the customer is being deleted
 */
export async function requireCustomer(
  deps: { customers: Pick<CustomerStore, 'get'> },
  actor: Actor,
  customerId: string,
): Promise<Customer> {
  requireOwn(actor, customerId);
  const found = await deps.customers.get(customerId);
  if (!found || found.value.deletingSince) throw noSuchCustomer();
  return found.value;
}

export function noSuchCustomer(): DomainError {
  return notFound('cust');
}
