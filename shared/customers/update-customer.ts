import type { Actor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { SlotCount, Slots } from '../plans/slots.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { noSuchCustomer, requireCustomer } from './require-customer.ts';

interface Deps {
  customers: Pick<CustomerStore, 'get' | 'update'>;
  slots: Pick<Slots, 'get' | 'setLimit'>;
}

export interface CustomerChange {
  name?: string | undefined;
  mailboxSlots?: number | undefined;
}

/**
 * Changes a customer's name, and for an operator its plan. `check` sees the customer as it is, and may refuse.
 *
 * @throws DomainError `not_found`
 * @throws DomainError `forbidden` when anybody but an operator changes `mailboxSlots`
 */
export async function updateCustomer(
  needs: Deps,
  actor: Actor,
  customerId: string,
  change: CustomerChange,
  check: (customer: Customer, slots: SlotCount) => void,
): Promise<{ customer: Customer; slots: SlotCount }> {
  for (;;) {
    const { value: customer, tag } = await requireCustomer(needs, actor, customerId);
    if (change.mailboxSlots !== undefined && actor.role !== 'operator') {
      throw new DomainError('forbidden', 'Only an operator changes mailboxSlots.');
    }
    const slots = await needs.slots.get(customerId);
    if (!slots) throw noSuchCustomer();
    check(customer, slots);
    const next = { ...customer, ...(change.name !== undefined && { name: change.name }) };
    // Also written when only the plan changes: a deletion that has begun meanwhile is then noticed.
    if (!(await needs.customers.update(next, tag))) continue;
    if (change.mailboxSlots === undefined) return { customer: next, slots };
    if (!(await needs.slots.setLimit(customerId, change.mailboxSlots))) throw noSuchCustomer();
    return { customer: next, slots: { limit: change.mailboxSlots, used: slots.used } };
  }
}
