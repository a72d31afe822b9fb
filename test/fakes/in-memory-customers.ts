import type { Customer } from '../../shared/customers/customer.ts';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { pageOf } from './page-of.ts';

/** Customers in memory. */
export function inMemoryCustomers(): CustomerStore {
  const rows = new Map<string, { customer: Customer; tag: string }>();
  let serial = 0;
  const all = () => [...rows.values()].map(({ customer }) => customer).sort((a, b) => (a.id < b.id ? -1 : 1));
  const put = (customer: Customer): string => {
    const tag = `tag-${++serial}`;
    rows.set(customer.id, { customer: { ...customer }, tag });
    return tag;
  };
  return {
    async exists(customerId) {
      const found = rows.get(customerId);
      return found !== undefined && !found.customer.deletingSince;
    },
    async get(customerId) {
      const found = rows.get(customerId);
      return found && { value: { ...found.customer }, tag: found.tag };
    },
    async list(request) {
      return pageOf(
        all().filter((customer) => !customer.deletingSince),
        request,
      );
    },
    async listDeleting() {
      return all().filter((customer) => customer.deletingSince);
    },
    async insert(customer) {
      const own = rows.get(customer.id);
      if (own) return { ...own.customer };
      put(customer);
      return customer;
    },
    async update(customer, tag) {
      return rows.get(customer.id)?.tag === tag ? put(customer) : undefined;
    },
    async remove(customerId) {
      rows.delete(customerId);
    },
  };
}
