import { odata, type TableClient } from '@azure/data-tables';
import type { Heartbeats } from '../../health/heartbeats.ts';
import { escapeKey } from './keys.ts';
import { storageAway, unless } from './table-errors.ts';

const TIMER = 'timer';

/** One row per timer: when it last ran through. */
export function tableHeartbeats(table: TableClient): Heartbeats {
  return {
    async beat(timer, at) {
      const row = { partitionKey: TIMER, rowKey: escapeKey(timer), ranAt: at.toISOString() };
      await unless(table.upsertEntity(row, 'Replace'));
    },
    async latest() {
      const filter = odata`PartitionKey eq ${TIMER}`;
      let latest: string | undefined;
      try {
        for await (const { ranAt } of table.listEntities<{ ranAt: string }>({ queryOptions: { filter } })) {
          if (latest === undefined || ranAt > latest) latest = ranAt;
        }
      } catch (error) {
        throw storageAway(error);
      }
      return latest === undefined ? undefined : new Date(latest);
    },
  };
}
