import { changeTagged } from '../kernel/change-tagged.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';

/** Changes one customer so that no concurrent change is lost. Same promise as `changeTagged`. */
export function changeCustomer(
  customers: Pick<CustomerStore, 'get' | 'update'>,
  customerId: string,
  change: (current: Customer) => Customer | undefined | Promise<Customer | undefined>,
): Promise<Customer | undefined> {
  return changeTagged(
    {
      read: () => customers.get(customerId),
      write: (customer, tag) => customers.update(customer, tag),
    },
    change,
  );
}
