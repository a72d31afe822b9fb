import { odata, type TableClient } from '@azure/data-tables';
import type { Customer } from '../../customers/customer.ts';
import type { CustomerStore } from '../../customers/customer-store.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { insertOwn } from './insert-own.ts';
import { escapeKey } from './keys.ts';
import { eachEntity, readEntity, readPage } from './read-entities.ts';

const columns: Columns<Customer> = {
  id: 'text',
  name: 'text',
  nameByOperator: 'text',
  createdAt: 'instant',
  deletingSince: 'instant',
  deletionRequest: 'json',
  purgeAt: 'instant',
  purgingSince: 'instant',
  purgeHeldUntil: 'instant',
};

const CUSTOMERS = 'customers';
const live = odata`PartitionKey eq ${CUSTOMERS} and deletingSince eq ''`;
const deleting = odata`PartitionKey eq ${CUSTOMERS} and deletingSince gt ''`;

/** Customers, all in one partition: they are few, and operators list them. */
export function tableCustomers(table: TableClient): CustomerStore {
  // `deletingSince` is always written, even if empty: a filter skips rows that lack the property.
  const toEntity = (customer: Customer) => ({
    partitionKey: CUSTOMERS,
    rowKey: escapeKey(customer.id),
    ...toProperties(columns, { ...customer, deletingSince: customer.deletingSince ?? null }),
  });

  const store: CustomerStore = {
    async exists(customerId) {
      const found = await store.get(customerId);
      return found !== undefined && !found.value.deletingSince;
    },
    get: (customerId) => readEntity(table, columns, CUSTOMERS, escapeKey(customerId)),
    list: (request) => readPage(table, columns, live, request),
    listDeleting: () => Array.fromAsync(eachEntity(table, deleting), (entity) => fromProperties(columns, entity)),
    insert: (customer) => insertOwn(table, toEntity(customer), customer, () => store.get(customer.id)),
    async update(customer, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(customer), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(customerId) {
      await undefinedOn([404], table.deleteEntity(CUSTOMERS, escapeKey(customerId)));
    },
  };
  return store;
}
