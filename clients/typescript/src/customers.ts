import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { pages } from './pages.ts';
import type { Customer, CustomerChanges, NewCustomer } from './types.ts';

export interface RemoveCustomerOptions extends RequestOptions {
  /** Deletes everything now, without a grace period. */
  purge?: 'now';
}

/** For operators. */
export interface Customers {
  create(customer: NewCustomer, options?: PostOptions): Promise<Customer>;
  get(customerId: string, options?: RequestOptions): Promise<Customer>;
  list(options?: PageOptions): AsyncIterable<Customer>;
  update(customerId: string, changes: CustomerChanges, options?: RequestOptions): Promise<Customer>;
  /** Disables the customer immediately. Everything that belongs to it is deleted when the grace period ends. */
  remove(customerId: string, options?: RemoveCustomerOptions): Promise<void>;
  /** Undoes `remove`, as long as nothing has been deleted. */
  restore(customerId: string, options?: PostOptions): Promise<Customer>;
}

export function createCustomers({ raw }: Api): Customers {
  return {
    create: (customer, options = {}) => dataOf(raw.POST('/v1/customers', { body: customer, ...initOf(options) })),

    get: (customerId, options = {}) =>
      dataOf(raw.GET('/v1/customers/{customerId}', { params: { path: { customerId } }, ...initOf(options) })),

    list: ({ pageSize, ...options } = {}) =>
      pages<Customer>((cursor) =>
        dataOf(
          raw.GET('/v1/customers', {
            params: { query: { ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    update: (customerId, changes, options = {}) =>
      dataOf(
        raw.PATCH('/v1/customers/{customerId}', {
          params: { path: { customerId } },
          body: changes,
          ...initOf(options),
        }),
      ),

    remove: async (customerId, { purge, ...options } = {}) => {
      await dataOf(
        raw.DELETE('/v1/customers/{customerId}', {
          params: { path: { customerId }, query: { ...(purge && { purge }) } },
          ...initOf(options),
        }),
      );
    },

    restore: (customerId, options = {}) =>
      dataOf(raw.POST('/v1/customers/{customerId}/restore', { params: { path: { customerId } }, ...initOf(options) })),
  };
}
