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

/** Creates a customer. Its slots are created first, so that no customer is ever visible without a plan. */
export async function createCustomer(
  deps: Deps,
  input: { name: string; mailboxSlots: number },
): Promise<{ customer: Customer; slots: SlotCount }> {
  const id = deps.newId('cust');
  await deps.slots.open(id, input.mailboxSlots);
  const customer: Customer = await deps.customers.insert({ id, name: input.name, createdAt: deps.clock.now() });
  return { customer, slots: { limit: input.mailboxSlots, used: 0 } };
}
