import { odata, type TableClient } from '@azure/data-tables';
import type { TenantPace, TenantPaceStore } from '../../imports/pacing/tenant-pace.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity, readEntity, toTagged } from './read-entities.ts';

/** A pace is one value. Its times do not fit into the whole numbers of Table Storage. */
const columns: Columns<{ pace: TenantPace }> = { pace: 'json' };

/** The partition of all tenants' paces in the table of imports. No customer has this ID. */
const PACES = 'paces';

/** The pace of each tenant, in the table of imports. */
export function tableTenantPaces(table: TableClient): TenantPaceStore {
  return {
    async get(tenant) {
      const found = await readEntity(table, columns, PACES, escapeKey(tenant));
      return found && { value: found.value.pace, tag: found.tag };
    },
    async put(pace, tag) {
      const entity = { partitionKey: PACES, rowKey: escapeKey(pace.tenant), ...toProperties(columns, { pace }) };
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
    async *each() {
      for await (const entity of eachEntity(table, odata`PartitionKey eq ${PACES}`)) {
        const { value, tag } = toTagged(columns, entity);
        yield { value: value.pace, tag };
      }
    },
    async remove(tenant, tag) {
      const removed = await undefinedOn([404, 412], table.deleteEntity(PACES, escapeKey(tenant), { etag: tag }));
      return removed !== undefined;
    },
  };
}
