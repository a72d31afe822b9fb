import pLimit from 'p-limit';
import type { Actor } from '../kernel/actor.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { SlotCount, Slots } from '../plans/slots.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { noSuchCustomer, requireCustomer } from './require-customer.ts';

/** A customer, and the slots of its plan. */
export interface CustomerWithSlots {
  customer: Customer;
  slots: SlotCount;
}

interface ReadDeps {
  customers: Pick<CustomerStore, 'get'>;
  slots: Pick<Slots, 'get'>;
}

/** Customers in one page. */
const CUSTOMERS_PAGE_MAX = 100;

const PARALLEL_READS_MAX = 16;

/**
 * Reads a customer that the actor may see, with its slots.
 *
 * @throws DomainError `not_found`, also if the customer is being deleted
 */
export async function readCustomer(deps: ReadDeps, actor: Actor, customerId: string): Promise<CustomerWithSlots> {
  const [customer, slots] = await Promise.all([requireCustomer(deps, actor, customerId), deps.slots.get(customerId)]);
  if (!slots) throw noSuchCustomer();
  return { customer, slots };
}

/**
 * One page of all customers, at most `CUSTOMERS_PAGE_MAX`, because each costs a read of its slots. Leaves out a customer
 * that is deleted while the page is read.
 */
export async function listCustomers(
  deps: { customers: Pick<CustomerStore, 'list'>; slots: Pick<Slots, 'get'> },
  request: PageRequest,
): Promise<Page<CustomerWithSlots>> {
  const { items, ...rest } = await deps.customers.list({
    ...request,
    limit: Math.min(request.limit, CUSTOMERS_PAGE_MAX),
  });
  const limit = pLimit(PARALLEL_READS_MAX);
  const read = items.map((customer) => limit(async () => ({ customer, slots: await deps.slots.get(customer.id) })));
  const found = await Promise.all(read);
  return { ...rest, items: found.flatMap(({ customer, slots }) => (slots ? [{ customer, slots }] : [])) };
}
