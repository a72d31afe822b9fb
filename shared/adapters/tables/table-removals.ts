import { odata, type TableClient } from '@azure/data-tables';
import type { Removal, RemovalSchedule } from '../../imports/retention/removal-schedule.ts';
import type { Lease, LeaseStore } from '../../kernel/lease-store.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity } from './read-entities.ts';
import { tableLeases } from './table-lease.ts';

const columns: Columns<Removal> = {
  kind: 'text',
  customerId: 'text',
  connectionId: 'text',
  importId: 'text',
  removeAt: 'instant',
};

/** The partition of removals in the table of imports. No customer has this ID. */
const REMOVALS = 'removals';

/** In the order of time, so that a range has what is due. */
const keyOf = ({ removeAt, kind, importId }: Removal) => `${removeAt.toISOString()}:${kind}:${importId}`;

/** Removals in the table of imports. */
export function tableRemovals(table: TableClient): RemovalSchedule {
  return {
    async put(removal) {
      const entity = { partitionKey: REMOVALS, rowKey: keyOf(removal), ...toProperties(columns, removal) };
      await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
    },
    async remove(removal) {
      await undefinedOn([404], table.deleteEntity(REMOVALS, keyOf(removal)));
    },
    async *eachDue(now) {
      // After every key of this instant.
      const end = `${now.toISOString()};`;
      const filter = odata`PartitionKey eq ${REMOVALS} and RowKey lt ${end}`;
      for await (const entity of eachEntity(table, filter)) yield fromProperties(columns, entity);
    },
    purge: (customerId) => purgePartition(table, REMOVALS, odata`customerId eq ${customerId}`),
  };
}

const leaseColumns: Columns<Lease> = { holder: 'text', until: 'instant' };

/** The right to remove what is due, in the same partition. Its key sorts after all instants. */
export function tableRemovalLease(table: TableClient): LeaseStore {
  return tableLeases(table, leaseColumns, () => ({ partitionKey: REMOVALS, rowKey: 'lease' }));
}
