import { odata, type TableClient } from '@azure/data-tables';
import type { Customer } from '../../customers/customer.ts';
import type { CustomerStore } from '../../customers/customer-store.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { readPage } from './read-page.ts';
import { storageAway, unless } from './table-errors.ts';

const columns: Columns<Customer> = { id: 'text', name: 'text', createdAt: 'instant', deletingSince: 'instant' };

const CUSTOMERS = 'customers';
const live = odata`PartitionKey eq ${CUSTOMERS} and deletingSince eq ''`;
const deleting = odata`PartitionKey eq ${CUSTOMERS} and deletingSince gt ''`;

/** Customers in one partition: they are few, and the operator lists them. */
export function tableCustomers(table: TableClient): CustomerStore {
  // The mark is always written, if only as empty: a filter passes over rows that lack the property.
  const toEntity = (customer: Customer) => ({
    partitionKey: CUSTOMERS,
    rowKey: escapeKey(customer.id),
    ...toProperties(columns, { ...customer, deletingSince: customer.deletingSince ?? null }),
  });
  const read = (properties: Record<string, unknown>) => fromProperties<Customer>(columns, properties);

  const store: CustomerStore = {
    async exists(customerId) {
      const found = await store.get(customerId);
      return found !== undefined && !found.value.deletingSince;
    },
    async get(customerId) {
      const entity = await unless(table.getEntity<Record<string, unknown>>(CUSTOMERS, escapeKey(customerId)), 404);
      return entity && { value: read(entity), tag: entity.etag };
    },
    async list(request) {
      const page = await readPage(table, live, request);
      return { ...page, items: page.items.map(read) };
    },
    async listDeleting() {
      const found: Customer[] = [];
      try {
        for await (const entity of table.listEntities({ queryOptions: { filter: deleting } })) found.push(read(entity));
      } catch (error) {
        throw storageAway(error);
      }
      return found;
    },
    async insert(customer) {
      await unless(table.createEntity(toEntity(customer)));
    },
    async update(customer, tag) {
      const done = await unless(table.updateEntity(toEntity(customer), 'Replace', { etag: tag }), 404, 412);
      return done !== undefined;
    },
    async remove(customerId) {
      await unless(table.deleteEntity(CUSTOMERS, escapeKey(customerId)), 404);
    },
  };
  return store;
}
