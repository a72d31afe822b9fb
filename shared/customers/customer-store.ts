import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Customer } from './customer.ts';

/** Stores customers. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface CustomerStore {
  /** `false` also for a customer that is being deleted. */
  exists(customerId: string): Promise<boolean>;
  /** Also finds a customer that is being deleted. */
  get(customerId: string): Promise<Tagged<Customer> | undefined>;
  /** Oldest first, without those that are being deleted. */
  list(page: PageRequest): Promise<Page<Customer>>;
  /** The customers whose deletion has begun. */
  listDeleting(): Promise<Customer[]>;
  /** Resolves to the stored record: this one, or the one that an earlier try with the same ID has stored. */
  insert(customer: Customer): Promise<Customer>;
  /**
   * Replaces the whole record. Resolves to its new tag, or to `undefined` if it has changed since `tag` was read or is
   * gone.
   */
  update(customer: Customer, tag: string): Promise<string | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string): Promise<void>;
}
