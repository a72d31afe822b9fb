import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Customer } from './customer.ts';

/** Where customers are kept. Every call rejects with `storage_unavailable` when storage is away. */
export interface CustomerStore {
  /** Whether there is such a customer; one that is being deleted is not. */
  exists(customerId: string): Promise<boolean>;
  /** Also resolves to one that is being deleted. */
  get(customerId: string): Promise<Tagged<Customer> | undefined>;
  /** In the order of their making, without those that are being deleted. */
  list(page: PageRequest): Promise<Page<Customer>>;
  /** Those whose deletion has begun. */
  listDeleting(): Promise<Customer[]>;
  insert(customer: Customer): Promise<void>;
  /** Resolves to `false` when the record has changed since `tag` was read, or is gone. */
  update(customer: Customer, tag: string): Promise<boolean>;
  /** Removing what is not there is success. */
  remove(customerId: string): Promise<void>;
}
