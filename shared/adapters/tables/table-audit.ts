import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import type { AuditLog, AuditRecord, AuditResult } from '../../kernel/audit-log.ts';
import { idOfInstant } from '../../kernel/ids.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { newestFirst } from './newest-first.ts';
import { purgePartition, TRANSACTION_MAX } from './purge-partition.ts';
import { PAGE_MAX, readEntities } from './read-entities.ts';

const columns: Columns<AuditRecord> = {
  id: 'text',
  at: 'instant',
  keyId: 'text',
  role: 'text',
  customerId: 'text',
  action: 'text',
  object: 'text',
  result: 'text',
  status: 'number',
  requestId: 'text',
  address: 'text',
};

const ALL = 'all';
const partitionOf = (customerId: string) => `customer:${escapeKey(customerId)}`;
/** Sorts after every row of this instant and later ones, and before every earlier row. */
const after = (instant: Date) => `${newestFirst(idOfInstant('aud', instant))}~`;

/**
 * Audit records, newest first, each one twice: in the partition of its customer and, for operators, in the partition
 * `all`. So both lists cost one request a page.
 *
 * The customer's row is written first, because it leads the purge of the customer to the other one. If the process dies
 * between the two, the customer's row alone remains. The next removal of the customer's old records takes it along.
 */
export function tableAudit(table: TableClient): AuditLog {
  const rowOf = (record: AuditRecord) => ({ rowKey: newestFirst(record.id), ...toProperties(columns, record) });
  const partitionsOf = ({ customerId }: AuditRecord) =>
    customerId === undefined ? [ALL] : [partitionOf(customerId), ALL];
  // A row that exists is this very one, whose answer was lost: nobody else has its ID.
  const create = (partitionKey: string, record: AuditRecord) =>
    undefinedOn([409], table.createEntity({ partitionKey, ...rowOf(record) }));
  // A row that is gone was purged, and must not come back.
  const merge = (partitionKey: string, { id }: AuditRecord, result: AuditResult) => {
    const change = { partitionKey, rowKey: newestFirst(id), ...toProperties(columns, result) };
    return undefinedOn([404], table.updateEntity(change, 'Merge'));
  };

  return {
    async insert(intent) {
      for (const partition of partitionsOf(intent)) await create(partition, intent);
    },
    async complete(intent, result) {
      if (intent.customerId === undefined && result.customerId !== undefined) {
        await create(partitionOf(result.customerId), { ...intent, ...result });
      }
      await Promise.all(partitionsOf(intent).map((partition) => merge(partition, intent, result)));
    },
    async list({ customerId, from, action }, { limit, cursor }) {
      const filter = [
        odata`PartitionKey eq ${customerId === undefined ? ALL : partitionOf(customerId)}`,
        ...(from ? [odata`RowKey lt ${after(from)}`] : []),
        ...(action === undefined ? [] : [odata`action eq ${action}`]),
      ].join(' and ');
      const pages = table.listEntities<Record<string, unknown>>({ queryOptions: { filter } }).byPage({
        maxPageSize: limit,
        ...(cursor !== undefined && { continuationToken: cursor }),
      });
      const { value: page, done } = await translateStorageErrors(pages.next());
      if (done) return { items: [] };
      const items = page.map((entity) => fromProperties(columns, entity));
      return page.continuationToken === undefined ? { items } : { items, cursor: page.continuationToken };
    },
    async removeBefore(before, max) {
      const filter = odata`PartitionKey eq ${ALL} and RowKey gt ${after(before)}`;
      const select = ['PartitionKey', 'RowKey', 'customerId'];
      const { items } = await readEntities(table, filter, { limit: max, select });
      const oldest = items.at(-1)?.rowKey ?? '';
      const customerIds = new Set(items.map(({ customerId }) => String(customerId ?? '')));
      for (const customerId of customerIds) {
        if (customerId === '') continue;
        await purgePartition(table, partitionOf(customerId), odata`RowKey gt ${after(before)} and RowKey le ${oldest}`);
      }
      await removeRows(table, ALL, items);
      return items.length;
    },
    async purge(customerId) {
      const partitionKey = partitionOf(customerId);
      const filter = odata`PartitionKey eq ${partitionKey}`;
      for (;;) {
        const { items } = await readEntities(table, filter, { limit: PAGE_MAX, select: ['PartitionKey', 'RowKey'] });
        if (items.length === 0) return;
        await removeRows(table, ALL, items);
        await removeRows(table, partitionKey, items);
      }
    },
  };
}

async function removeRows(table: TableClient, partitionKey: string, rows: readonly { rowKey?: string }[]) {
  for (let from = 0; from < rows.length; from += TRANSACTION_MAX) {
    const chunk = rows.slice(from, from + TRANSACTION_MAX);
    const removals = chunk.map(({ rowKey = '' }): TransactionAction => ['delete', { partitionKey, rowKey }]);
    if ((await undefinedOn([404], table.submitTransaction(removals))) !== undefined) continue;
    // One of them was removed before, and the transaction removed none.
    for (const { rowKey = '' } of chunk) await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
  }
}
