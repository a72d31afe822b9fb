import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import type { ApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { Actor } from '../kernel/actor.ts';
import type { AnswerMemory } from '../kernel/answer-memory.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Slots } from '../plans/slots.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { noSuchCustomer, requireOwn } from './require-customer.ts';

/** Removes one kind of thing of a customer: connections with their secrets, uploads, … Repeatable. */
export type CustomerPurger = (customerId: string) => Promise<void>;

export interface DeleteCustomerDeps {
  customers: CustomerStore;
  slots: Pick<Slots, 'purge'>;
  apiKeyStore: Pick<ApiKeyStore, 'purge'>;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
  answers: Pick<AnswerMemory, 'purge'>;
  /** In the order in which they are to run. */
  customerPurgers: readonly CustomerPurger[];
  clock: Clock;
}

/**
 * Deletes a customer with all it has. It is marked first, so it is gone for everybody from then on, and its record goes
 * last, so that an interrupted deletion is found and finished: by repeating the call, or by `finishDeletions`.
 *
 * `check` sees the customer before anything happens, and may refuse.
 *
 * @throws DomainError `not_found`
 */
export async function deleteCustomer(
  needs: DeleteCustomerDeps,
  actor: Actor,
  customerId: string,
  check: (customer: Customer) => Promise<void>,
): Promise<void> {
  requireOwn(actor, customerId);
  for (;;) {
    const found = await needs.customers.get(customerId);
    if (!found) throw noSuchCustomer();
    if (found.value.deletingSince) break;
    await check(found.value);
    if (await needs.customers.update({ ...found.value, deletingSince: needs.clock.now() }, found.tag)) break;
  }
  await purge(needs, customerId);
}

/** Goes on with deletions that were interrupted; for a timer. Resolves to how many it finished. */
export async function finishDeletions(needs: DeleteCustomerDeps): Promise<number> {
  const deleting = await needs.customers.listDeleting();
  for (const { id } of deleting) await purge(needs, id);
  return deleting.length;
}

async function purge(needs: DeleteCustomerDeps, customerId: string): Promise<void> {
  await needs.apiKeyStore.purge(customerId);
  needs.apiKeys.forget(customerId);
  for (const remove of needs.customerPurgers) await remove(customerId);
  await needs.slots.purge(customerId);
  await needs.answers.purge(customerId);
  await needs.customers.remove(customerId);
}
