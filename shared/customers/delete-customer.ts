import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import type { ApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { Actor } from '../kernel/actor.ts';
import type { AnswerMemory } from '../kernel/answer-memory.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Slots } from '../plans/slots.ts';
import { changeCustomer } from './change-customer.ts';
import type { CustomerStore } from './customer-store.ts';
import type { CustomerWithSlots } from './read-customers.ts';
import { noSuchCustomer, requireOwn } from './require-customer.ts';

/** Removes one kind of a customer's data: connections with their secrets, uploads and so on. Repeatable. */
export type CustomerPurger = (customerId: string) => Promise<void>;

export interface DeleteCustomerDeps {
  customers: CustomerStore;
  slots: Pick<Slots, 'get' | 'purge'>;
  apiKeyStore: Pick<ApiKeyStore, 'purge'>;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
  answers: Pick<AnswerMemory, 'purge'>;
  /** They run in this order. */
  customerPurgers: readonly CustomerPurger[];
  clock: Clock;
}

/**
 * Deletes a customer and all its data.
 *
 * The customer is marked first, which hides it from everyone. Its record is removed last, so that an interrupted
 * deletion can be completed, by repeating the call or by `finishDeletions`.
 *
 * @param check receives the customer before anything changes, and may throw to refuse
 * @throws DomainError `not_found`
 */
export async function deleteCustomer(
  deps: DeleteCustomerDeps,
  actor: Actor,
  customerId: string,
  check: (current: CustomerWithSlots) => void,
): Promise<void> {
  requireOwn(actor, customerId);
  if (!(await deps.customers.get(customerId))) throw noSuchCustomer();
  await changeCustomer(deps.customers, customerId, async (current) => {
    if (current.deletingSince) return undefined;
    const slots = await deps.slots.get(customerId);
    if (!slots) throw noSuchCustomer();
    check({ customer: current, slots });
    return { ...current, deletingSince: deps.clock.now() };
  });
  await purge(deps, customerId);
}

/** Completes interrupted deletions. For a timer. Resolves to how many it completed. */
export async function finishDeletions(deps: DeleteCustomerDeps): Promise<number> {
  const deleting = await deps.customers.listDeleting();
  for (const { id } of deleting) await purge(deps, id);
  return deleting.length;
}

async function purge(deps: DeleteCustomerDeps, customerId: string): Promise<void> {
  await deps.apiKeyStore.purge(customerId);
  deps.apiKeys.forget(customerId);
  for (const remove of deps.customerPurgers) await remove(customerId);
  await deps.slots.purge(customerId);
  await deps.answers.purge(customerId);
  await deps.customers.remove(customerId);
}
