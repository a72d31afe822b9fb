import type { TableClient } from '@azure/data-tables';
import type { ReconcileProgress, ReconcileProgressStore } from '../../imports/reconciling/reconcile-slots.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<ReconcileProgress> = { holder: 'text', until: 'instant', cursor: 'text' };

/** The partition of the record in the table of imports. No customer has this ID. */
const RECONCILIATION = 'reconciliation';
const PROGRESS = 'progress';

/** The progress of the slots reconciliation, in the table of imports. */
export function tableReconcileProgress(table: TableClient): ReconcileProgressStore {
  return {
    get: () => readEntity(table, columns, RECONCILIATION, PROGRESS),
    async put(progress, tag) {
      const entity = { partitionKey: RECONCILIATION, rowKey: PROGRESS, ...toProperties(columns, progress) };
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
  };
}
