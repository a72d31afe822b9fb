import type { Actor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { SlotCount, Slots } from '../plans/slots.ts';
import { changeCustomer } from './change-customer.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import type { CustomerWithSlots } from './read-customers.ts';
import { noSuchCustomer, requireOwn } from './require-customer.ts';

interface Deps {
  customers: Pick<CustomerStore, 'get' | 'update'>;
  slots: Pick<Slots, 'get' | 'setLimit'>;
}

interface CustomerChange {
  name?: string | undefined;
  mailboxSlots?: number | undefined;
}

function renamed(current: Customer, name: string, isByOperator: boolean): Customer {
  const { nameByOperator = current.name, ...rest } = current;
  return { ...rest, name, ...(!isByOperator && { nameByOperator }) };
}

/**
 * Changes a customer's name and, for operators, its plan.
 *
 * @param check receives the current customer before each write, and may throw to refuse
 * @throws DomainError `not_found`
 * @throws DomainError `forbidden` if anyone but an operator changes `mailboxSlots`
 */
export async function updateCustomer(
  deps: Deps,
  actor: Actor,
  customerId: string,
  change: CustomerChange,
  check: (current: CustomerWithSlots) => void,
): Promise<CustomerWithSlots> {
  requireOwn(actor, customerId);
  const { name, mailboxSlots } = change;
  if (mailboxSlots !== undefined && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only operators can change `mailboxSlots`.');
  }
  let slots: SlotCount | undefined;
  // Also written if only the plan changes, because the write fails if a deletion has begun in the meantime.
  const customer = await changeCustomer(deps.customers, customerId, async (current) => {
    if (current.deletingSince) return undefined;
    slots = await deps.slots.get(customerId);
    if (!slots) return undefined;
    check({ customer: current, slots });
    return name === undefined ? { ...current } : renamed(current, name, actor.role === 'operator');
  });
  if (!customer || !slots) throw noSuchCustomer();
  if (mailboxSlots === undefined) return { customer, slots };
  if (!(await deps.slots.setLimit(customerId, mailboxSlots))) throw noSuchCustomer();
  return { customer, slots: { limit: mailboxSlots, used: slots.used } };
}
