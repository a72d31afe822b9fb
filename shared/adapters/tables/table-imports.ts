import { odata, type TableClient } from '@azure/data-tables';
import type { Import } from '../../imports/import.ts';
import type { ImportStore, OpenImport } from '../../imports/import-store.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { newestFirst } from './newest-first.ts';
import { readPage } from './read-page.ts';
import { storageAway } from './table-errors.ts';

const importColumns: Columns<Import> = {
  id: 'text',
  customerId: 'text',
  connectionId: 'text',
  status: 'text',
  epoch: 'number',
  cursor: 'number',
  dispatched: 'number',
  batches: 'json',
  lease: 'json',
  wakeUpAt: 'instant',
  endsAs: 'text',
  eventPending: 'flag',
  finding: 'json',
  ignoresRepeatedRefusals: 'flag',
  canary: 'number',
  canarySettledAt: 'instant',
  retryOf: 'text',
  uploadType: 'text',
  createdAt: 'instant',
  startedAt: 'instant',
  finishedAt: 'instant',
};

const pointerColumns: Columns<OpenImport> = {
  importId: 'text',
  customerId: 'text',
  connectionId: 'text',
  openedAt: 'instant',
};

/** Pointers of unfinished imports; no customer has this id. */
const OPEN = 'open';

/** Imports in one table, a partition for each customer, newest first. */
export function tableImports(table: TableClient): ImportStore {
  async function orUndefined<T>(answer: Promise<T>, ...absent: number[]): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (absent.includes((error as { statusCode?: number }).statusCode ?? 0)) return undefined;
      throw storageAway(error);
    }
  }
  const toEntity = (record: Import) => ({
    partitionKey: record.customerId,
    rowKey: newestFirst(record.id),
    ...toProperties(importColumns, record),
  });

  return {
    async get(customerId, importId) {
      const entity = await orUndefined(
        table.getEntity<Record<string, unknown>>(customerId, newestFirst(importId)),
        404,
        400,
      );
      return entity && { value: fromProperties(importColumns, entity), tag: entity.etag };
    },
    async list(customerId, connectionId, request) {
      const filter = odata`PartitionKey eq ${customerId} and connectionId eq ${connectionId}`;
      const page = await readPage(table, filter, request);
      return { ...page, items: page.items.map((entity) => fromProperties(importColumns, entity)) };
    },
    async insert(record) {
      await orUndefined(table.createEntity(toEntity(record)));
    },
    async update(record, tag) {
      const done = await orUndefined(table.updateEntity(toEntity(record), 'Replace', { etag: tag }), 404, 412);
      return done?.etag;
    },
    async purge(customerId, connectionId) {
      const filter = odata`PartitionKey eq ${customerId} and connectionId eq ${connectionId}`;
      try {
        for await (const { rowKey } of table.listEntities({ queryOptions: { filter, select: ['RowKey'] } })) {
          await orUndefined(table.deleteEntity(customerId, rowKey ?? ''), 404);
        }
      } catch (error) {
        throw storageAway(error);
      }
    },
    async openPointer(pointer) {
      const properties = toProperties(pointerColumns, pointer);
      await orUndefined(table.upsertEntity({ partitionKey: OPEN, rowKey: pointer.importId, ...properties }));
    },
    async closePointer(importId) {
      await orUndefined(table.deleteEntity(OPEN, importId), 404);
    },
    async listOpen() {
      const open: OpenImport[] = [];
      try {
        const filter = odata`PartitionKey eq ${OPEN}`;
        for await (const entity of table.listEntities<Record<string, unknown>>({ queryOptions: { filter } })) {
          open.push(fromProperties(pointerColumns, entity));
        }
      } catch (error) {
        throw storageAway(error);
      }
      return open;
    },
  };
}
