import { odata, type TableClient } from '@azure/data-tables';
import type { Heartbeat, Heartbeats } from '../../health/heartbeats.ts';
import { translateStorageErrors } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity } from './read-entities.ts';

const columns: Columns<Heartbeat> = { timer: 'text', ranAt: 'instant', dueAt: 'instant' };

const TIMER = 'timer';

/** One row for each timer: when it last completed a run. */
export function tableHeartbeats(table: TableClient): Heartbeats {
  return {
    async beat(heartbeat) {
      const key = { partitionKey: TIMER, rowKey: escapeKey(heartbeat.timer) };
      await translateStorageErrors(table.upsertEntity({ ...key, ...toProperties(columns, heartbeat) }, 'Replace'));
    },
    async list() {
      const found = await Array.fromAsync(eachEntity(table, odata`PartitionKey eq ${TIMER}`));
      return found.map((entity) => fromProperties(columns, entity));
    },
  };
}
