import type { Actor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Slots } from '../plans/slots.ts';
import { changeCustomer } from './change-customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { type PurgeCustomerDeps, purgeCustomer } from './purge-customer.ts';
import type { CustomerWithSlots } from './read-customers.ts';
import { noSuchCustomer, requireOwn } from './require-customer.ts';

export interface DeleteCustomerDeps extends PurgeCustomerDeps {
  slots: Pick<Slots, 'get' | 'purge'>;
  /** Cancels every unfinished import of a customer. Repeatable. */
  cancelImports: (customerId: string) => Promise<void>;
  /** How long a deletion can be undone. */
  deletionGraceMs: number;
}

/**
 * Disables a customer, and deletes it after a grace period. Until then `restoreCustomer` can bring it back.
 *
 * From the mark on, the customer is hidden and its keys do not work, in other processes once their cache expires. Its
 * running imports are cancelled. If the process dies after the mark, the sweep cancels them.
 *
 * @param options `purgeNow` deletes everything immediately. Only for operators. `requestId` goes into the record of the
 * deletion
 * @param check receives the customer before anything changes, and may throw to refuse
 * @throws DomainError `not_found`, `forbidden`
 */
export async function deleteCustomer(
  deps: DeleteCustomerDeps,
  actor: Actor,
  customerId: string,
  { purgeNow, requestId }: { purgeNow: boolean; requestId: string },
  check: (current: CustomerWithSlots) => void,
): Promise<void> {
  requireOwn(actor, customerId);
  if (purgeNow && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only operators can delete a customer without a grace period.');
  }
  if (!(await deps.customers.get(customerId))) throw noSuchCustomer();
  const deletionRequest = { keyId: actor.keyId, role: actor.role, requestId };
  const disabled = await changeCustomer(deps.customers, customerId, async (current) => {
    const now = deps.clock.now();
    // From here on the purge is sure to happen: if this process dies, the timer does it.
    const purging = purgeNow && { purgingSince: now };
    if (current.deletingSince) {
      return purgeNow && !current.purgingSince ? { ...current, deletionRequest, ...purging } : undefined;
    }
    const slots = await deps.slots.get(customerId);
    if (!slots) throw noSuchCustomer();
    check({ customer: current, slots });
    const purgeAt = new Date(now.getTime() + deps.deletionGraceMs);
    return { ...current, deletingSince: now, deletionRequest, purgeAt, ...purging };
  });
  if (!disabled && !purgeNow) throw noSuchCustomer();
  deps.apiKeys.forget(customerId);
  await deps.cancelImports(customerId);
  if (purgeNow) await purgeCustomer(deps, customerId, deletionRequest);
}

/**
 * Undoes a deletion during its grace period. The customer's data and keys work again. Its imports stay cancelled.
 *
 * @throws DomainError `not_found`
 * @throws DomainError `wrong_state` if the purge has begun
 */
export async function restoreCustomer(
  deps: { customers: Pick<CustomerStore, 'get' | 'update'>; slots: Pick<Slots, 'get'> },
  customerId: string,
): Promise<CustomerWithSlots> {
  await changeCustomer(deps.customers, customerId, (current) => {
    if (current.purgingSince) {
      throw new DomainError('wrong_state', 'The data of this customer is being deleted. It cannot be restored.');
    }
    if (!current.deletingSince) return undefined;
    const { deletingSince: _since, deletionRequest: _request, purgeAt: _at, ...rest } = current;
    return rest;
  });
  const [found, slots] = await Promise.all([deps.customers.get(customerId), deps.slots.get(customerId)]);
  if (!found || !slots) throw noSuchCustomer();
  return { customer: found.value, slots };
}
