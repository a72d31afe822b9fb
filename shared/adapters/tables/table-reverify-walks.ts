import type { TableClient } from '@azure/data-tables';
import type { ReverifyWalk, ReverifyWalks } from '../../imports/reverifying/reverify-walk.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<ReverifyWalk> = {
  serial: 'number',
  startedAt: 'instant',
  movedAt: 'instant',
  actionId: 'text',
  hasPostponed: 'flag',
  cursor: 'text',
};

/** Beside the mailboxes of a connection, so that it is purged with them. None of their keys begins like this. */
const WALK = 'w:reverify';

/** @param table the table of the ledger */
export function tableReverifyWalks(table: TableClient): ReverifyWalks {
  return {
    get: (connectionId) => readEntity(table, columns, connectionId, WALK),
    async put(connectionId, walk, tag) {
      const entity = { partitionKey: connectionId, rowKey: WALK, ...toProperties(columns, walk) };
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
  };
}
