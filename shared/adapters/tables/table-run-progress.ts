import type { TableClient } from '@azure/data-tables';
import type { RunProgress, RunProgressStore } from '../../kernel/resumable-run.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<RunProgress> = { holder: 'text', until: 'instant', cursor: 'text' };

/** The partitions of the records in the table of imports. No customer has one of these IDs. */
type Run = 'reconciliation' | 'orphaned-secrets' | 'registrations' | 'requeues' | 'reverification';
const PROGRESS = 'progress';

/** The progress of one kind of run, in the table of imports. */
export function tableRunProgress(table: TableClient, run: Run): RunProgressStore {
  return {
    get: () => readEntity(table, columns, run, PROGRESS),
    async put(progress, tag) {
      const entity = { partitionKey: run, rowKey: PROGRESS, ...toProperties(columns, progress) };
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
  };
}
