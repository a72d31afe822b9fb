import { odata, type TableClient } from '@azure/data-tables';
import type { KeptUpload, KeptUploadStore } from '../../imports/upload/kept-upload.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntities, readEntity } from './read-entities.ts';

const columns: Columns<KeptUpload> = {
  customerId: 'text',
  connectionId: 'text',
  importId: 'text',
  uploadType: 'text',
  columns: 'json',
  hash: 'text',
  rows: 'number',
  expiresAt: 'instant',
};

const KEPT = { from: 'kept:', to: 'kept;' };
const keyOf = (importId: string) => `kept:${importId}`;

/** Kept uploads in the table of imports, in the partition of the customer. They are purged with its imports. */
export function tableKeptUploads(table: TableClient): KeptUploadStore {
  return {
    get: async (customerId, importId) => (await readEntity(table, columns, customerId, keyOf(importId)))?.value,
    async put(kept) {
      const entity = {
        partitionKey: kept.customerId,
        rowKey: keyOf(kept.importId),
        ...toProperties(columns, kept),
      };
      await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
    },
    async remove(customerId, importId) {
      await undefinedOn([404], table.deleteEntity(customerId, keyOf(importId)));
    },
    async count(customerId, now, max) {
      const range = odata`PartitionKey eq ${customerId} and RowKey ge ${KEPT.from} and RowKey lt ${KEPT.to}`;
      const filter = `${range} and ${odata`expiresAt gt ${now.toISOString()}`}`;
      return (await readEntities(table, filter, { limit: max, select: ['RowKey'] })).items.length;
    },
  };
}
