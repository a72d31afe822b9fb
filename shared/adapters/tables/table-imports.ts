import { createHash } from 'node:crypto';
import { odata, type TableClient } from '@azure/data-tables';
import type { Import } from '../../imports/import.ts';
import type { ImportStore, ListedKind, OpenImport } from '../../imports/import-store.ts';
import { quotaReached } from '../../kernel/quota.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { createWithinQuota } from './create-within-quota.ts';
import { newestFirst } from './newest-first.ts';
import { purgePartition } from './purge-partition.ts';
import { eachEntity, readEntity, readPage } from './read-entities.ts';
import { tableRowQuota } from './row-quota.ts';

const importColumns: Columns<Import> = {
  id: 'text',
  customerId: 'text',
  connectionId: 'text',
  action: 'text',
  target: 'json',
  isReverification: 'flag',
  status: 'text',
  epoch: 'number',
  cursor: 'number',
  dispatched: 'number',
  batches: 'json',
  scoutedLines: 'json',
  lease: 'json',
  flow: 'json',
  waitingFor: 'json',
  wakeUpAt: 'instant',
  endsAs: 'text',
  ending: 'json',
  eventPending: 'flag',
  finding: 'json',
  pauseToAnnounce: 'json',
  ignoresRepeatedRefusals: 'flag',
  canary: 'number',
  canarySettledAt: 'instant',
  rowsCancelledAt: 'instant',
  retryOf: 'text',
  uploadType: 'text',
  columns: 'json',
  uploadedRows: 'number',
  quotaRows: 'number',
  uploadExpiresAt: 'instant',
  traceparent: 'text',
  startedBy: 'text',
  selection: 'json',
  uploadHash: 'text',
  counts: 'json',
  findingCounts: 'json',
  createdAt: 'instant',
  startedAt: 'instant',
  pausedAt: 'instant',
  finishedAt: 'instant',
  rowsExpireAt: 'instant',
  rowsRemovedAt: 'instant',
};

const pointerColumns: Columns<OpenImport> = {
  importId: 'text',
  customerId: 'text',
  connectionId: 'text',
  openedAt: 'instant',
};

/** The partition of pointers to unfinished imports. No customer has this ID. */
const OPEN = 'open';
const open = odata`PartitionKey eq ${OPEN}`;
/** Pointers of actions and of imports. The rows of quotas come after them. */
const { from, to } = { from: 'act_', to: 'imp`' };
const pointers = odata`RowKey ge ${from} and RowKey lt ${to}`;
/** Other rows in the partition of a customer have keys without this prefix. */
const keysOf = {
  imports: odata`RowKey ge ${newestFirst('imp_')} and RowKey lt ${newestFirst('imp`')}`,
  actions: odata`RowKey ge ${newestFirst('act_')} and RowKey lt ${newestFirst('act`')}`,
} as const;
const bySchedule = 'isReverification eq true';

/** A property that an entity does not have is equal to nothing, so its negation holds. */
function filterOf(of: ListedKind): string {
  if (typeof of === 'string') return keysOf[of];
  return `${keysOf.actions} and ${of.actionsOf === 'schedule' ? bySchedule : `not (${bySchedule})`}`;
}

/**
 * The row that makes the quota of a customer exact, see `createWithinQuota`. Customers share a fixed number of these
 * rows, so that nothing of a deleted customer stays behind.
 */
const guardOf = (customerId: string) => `quota:${createHash('sha256').update(customerId).digest('hex').slice(0, 2)}`;

/** Imports in one table, with a partition for each customer, newest first. */
export function tableImports(table: TableClient): ImportStore {
  const rowQuota = tableRowQuota(table);
  const toEntity = (record: Import) => ({
    partitionKey: record.customerId,
    rowKey: newestFirst(record.id),
    ...toProperties(importColumns, record),
  });

  const store: ImportStore = {
    get: (customerId, importId) => readEntity(table, importColumns, customerId, newestFirst(importId), [404, 400]),
    list(customerId, connectionId, request, of = 'imports') {
      const filter = `${odata`PartitionKey eq ${customerId} and connectionId eq ${connectionId}`} and ${filterOf(of)}`;
      return readPage(table, importColumns, filter, request);
    },
    async insert(record, quota) {
      const { customerId, id, quotaRows } = record;
      if (await rowQuota.insert(customerId, ['create', toEntity(record)], quotaRows, quota)) return record;
      // Nobody else can have made this ID: an earlier try has stored it, and its answer was lost.
      return (await store.get(customerId, id))?.value ?? record;
    },
    recount: (customerId, importId, quotaRows) => rowQuota.recount(customerId, newestFirst(importId), quotaRows),
    async update(record, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(record), 'Replace', { etag: tag }));
      return written?.etag;
    },
    purge: (customerId, connectionId) => rowQuota.purge(customerId, odata`connectionId eq ${connectionId}`),
    async purgeCustomer(customerId) {
      await purgePartition(table, customerId);
      await purgePartition(table, OPEN, odata`customerId eq ${customerId}`);
    },
    async openPointer(pointer, runningMax = Number.POSITIVE_INFINITY) {
      const { importId, customerId } = pointer;
      const counted = `${pointers} and ${odata`customerId eq ${customerId} and importId ne ${importId}`}`;
      const quota = { partitionKey: OPEN, guard: guardOf(customerId), counted, max: runningMax };
      const entity = { partitionKey: OPEN, rowKey: importId, ...toProperties(pointerColumns, pointer) };
      // An upsert, because the caller and the SDK may repeat this after a lost answer.
      if ((await createWithinQuota(table, quota, [['upsert', entity]])) === 'full') {
        throw quotaReached('imports that have not ended', runningMax, 'Wait until one of them ends, or cancel one.');
      }
    },
    async closePointer(importId) {
      await undefinedOn([404], table.deleteEntity(OPEN, importId));
    },
    listOpen(customerId) {
      const all = `${open} and ${pointers}`;
      const filter = customerId === undefined ? all : `${all} and ${odata`customerId eq ${customerId}`}`;
      return Array.fromAsync(eachEntity(table, filter), (entity) => fromProperties(pointerColumns, entity));
    },
  };
  return store;
}
