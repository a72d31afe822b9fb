import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { SlotCount, Slots } from '../plans/slots.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';

interface Deps {
  customers: Pick<CustomerStore, 'insert'>;
  slots: Pick<Slots, 'open'>;
  clock: Clock;
  newId: NewId;
}

/** Makes a customer. Its slots are there before it is, so nobody meets a customer without a plan. */
export async function createCustomer(
  needs: Deps,
  input: { name: string; mailboxSlots: number },
): Promise<{ customer: Customer; slots: SlotCount }> {
  const customer: Customer = { id: needs.newId('cust'), name: input.name, createdAt: needs.clock.now() };
  await needs.slots.open(customer.id, input.mailboxSlots);
  await needs.customers.insert(customer);
  return { customer, slots: { limit: input.mailboxSlots, used: 0 } };
}
