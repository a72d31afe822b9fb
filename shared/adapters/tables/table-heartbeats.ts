import { odata, type TableClient } from '@azure/data-tables';
import type { Heartbeats } from '../../health/heartbeats.ts';
import { translateStorageErrors } from '../storage-errors.ts';
import { escapeKey } from './keys.ts';
import { eachEntity } from './read-entities.ts';

const TIMER = 'timer';

/** One row per timer: when it last completed. */
export function tableHeartbeats(table: TableClient): Heartbeats {
  return {
    async beat(timer, at) {
      const row = { partitionKey: TIMER, rowKey: escapeKey(timer), ranAt: at.toISOString() };
      await translateStorageErrors(table.upsertEntity(row, 'Replace'));
    },
    async latest() {
      let latest = '';
      for await (const { ranAt } of eachEntity(table, odata`PartitionKey eq ${TIMER}`)) {
        if (String(ranAt) > latest) latest = String(ranAt);
      }
      return latest === '' ? undefined : new Date(latest);
    },
  };
}
