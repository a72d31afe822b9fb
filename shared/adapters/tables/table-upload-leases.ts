import type { TableClient } from '@azure/data-tables';
import type { UploadLease, UploadLeaseStore } from '../../imports/upload/upload-lease-store.ts';
import type { Columns } from './columns.ts';
import { tableLeases } from './table-lease.ts';

const columns: Columns<UploadLease> = {
  customerId: 'text',
  connectionId: 'text',
  holder: 'text',
  until: 'instant',
};

/** Leases in the table of imports, in the partition of the customer. They are purged with its imports. */
export function tableUploadLeases(table: TableClient): UploadLeaseStore {
  return tableLeases(table, columns, ({ customerId, connectionId }) => ({
    partitionKey: customerId,
    rowKey: `upload:${connectionId}`,
  }));
}
