import { odata, type TableClient } from '@azure/data-tables';
import type { MessagePoolStore, PoolClaim, PoolSize } from '../../imports/dispatching/message-pool.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { eachEntity, toTagged } from './read-entities.ts';

const sizeColumns: Columns<PoolSize> = { total: 'number', at: 'instant' };

const claimColumns: Columns<PoolClaim> = {
  importId: 'text',
  customerId: 'text',
  at: 'instant',
  outstanding: 'number',
  flightMs: 'number',
  isLimited: 'flag',
  givesWay: 'flag',
};

/** The partition of the pool in the table of imports. No customer has this ID. */
const POOL = 'pool';
const SIZE = 'size';
const claimKey = (importId: string) => `claim:${importId}`;

/** The pool of messages that all imports share, in the table of imports. */
export function tableMessagePool(table: TableClient): MessagePoolStore {
  return {
    async read() {
      const claims: PoolClaim[] = [];
      let size: Awaited<ReturnType<MessagePoolStore['read']>>['size'];
      for await (const entity of eachEntity(table, odata`PartitionKey eq ${POOL}`)) {
        if (entity.rowKey === SIZE) size = toTagged(sizeColumns, entity);
        else claims.push(fromProperties(claimColumns, entity));
      }
      return { size, claims };
    },
    async putSize(size, tag) {
      const entity = { partitionKey: POOL, rowKey: SIZE, ...toProperties(sizeColumns, size) };
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
    async putClaim(claim) {
      const rowKey = claimKey(claim.importId);
      const entity = { partitionKey: POOL, rowKey, ...toProperties(claimColumns, claim) };
      await undefinedOn([], table.upsertEntity(entity, 'Replace'));
    },
    async removeClaim(importId) {
      await undefinedOn([404], table.deleteEntity(POOL, claimKey(importId)));
    },
  };
}
