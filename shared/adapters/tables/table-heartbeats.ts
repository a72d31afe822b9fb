import { odata, type TableClient } from '@azure/data-tables';
import type { Heartbeat, Heartbeats } from '../../health/heartbeats.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity } from './read-entities.ts';

const columns: Columns<Heartbeat> = { timer: 'text', ranAt: 'instant', dueAt: 'instant' };

const expectedColumns: Columns<{ timer: string; since: Date }> = { timer: 'text', since: 'instant' };

const TIMER = 'timer';
const EXPECTED = 'expected-timer';

/** One row for each timer: when it last completed a run. Another one for those that never had when they were expected. */
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
    async expect(timer, since) {
      const key = { partitionKey: EXPECTED, rowKey: escapeKey(timer) };
      await undefinedOn([409], table.createEntity({ ...key, ...toProperties(expectedColumns, { timer, since }) }));
    },
    async listExpected() {
      const found = await Array.fromAsync(eachEntity(table, odata`PartitionKey eq ${EXPECTED}`));
      return found.map((entity) => fromProperties(expectedColumns, entity));
    },
  };
}
