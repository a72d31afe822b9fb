import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import type { ProgressMark, ProgressMarks } from '../../operations/progress-marks.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { eachEntity } from './read-entities.ts';

const columns: Columns<ProgressMark> = { importId: 'text', position: 'text', since: 'instant' };

const PROGRESS = 'progress';
/** Of Table Storage. */
const TRANSACTION_MAX = 100;

/** Marks beside the heartbeats, a hundred in each transaction. */
export function tableProgressMarks(table: TableClient): ProgressMarks {
  return {
    async list() {
      const found = await Array.fromAsync(eachEntity(table, odata`PartitionKey eq ${PROGRESS}`));
      return found.map((entity) => fromProperties(columns, entity));
    },
    async put(marks) {
      const actions = marks.map((mark): TransactionAction => {
        return ['upsert', { partitionKey: PROGRESS, rowKey: mark.importId, ...toProperties(columns, mark) }, 'Replace'];
      });
      for (let from = 0; from < actions.length; from += TRANSACTION_MAX) {
        await translateStorageErrors(table.submitTransaction(actions.slice(from, from + TRANSACTION_MAX)));
      }
    },
    // One by one: in a transaction, a mark that another process has removed would keep the others.
    async remove(importIds) {
      for (const importId of importIds) await undefinedOn([404], table.deleteEntity(PROGRESS, importId));
    },
  };
}
