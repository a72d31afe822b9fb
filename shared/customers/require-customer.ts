import type { Actor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';

/**
 * Refuses an actor of another customer. What is somebody else's is answered like what is not there: telling them apart
 * would let one customer find out which ids others have.
 *
 * @throws DomainError `not_found`
 */
export function requireOwn(actor: Actor, customerId: string): void {
  if (actor.role !== 'operator' && actor.customerId !== customerId) throw noSuchCustomer();
}

/**
 * Finds a customer that the actor may see: its own, or any for an operator.
 *
 * @throws DomainError `not_found`, also for one that is being deleted
 */
export async function requireCustomer(
  needs: { customers: Pick<CustomerStore, 'get'> },
  actor: Actor,
  customerId: string,
): Promise<Tagged<Customer>> {
  requireOwn(actor, customerId);
  const found = await needs.customers.get(customerId);
  if (!found || found.value.deletingSince) throw noSuchCustomer();
  return found;
}

export function noSuchCustomer(): DomainError {
  return new DomainError('not_found', 'There is no such customer.');
}
