import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import type { AuditLog, AuditRecord } from '../../kernel/audit-log.ts';
import { idOfInstant } from '../../kernel/ids.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { newestFirst } from './newest-first.ts';
import { readEntities } from './read-entities.ts';

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

/** The largest transaction that Table Storage accepts. */
const TRANSACTION_MAX = 100;

/**
 * Audit records, newest first, each one twice: in the partition `all` for operators and in the partition of its customer.
 * So both lists cost one request a page. The row in `all` is written first and removed last: it leads to the other one.
 */
export function tableAudit(table: TableClient): AuditLog {
  const rowsOf = (record: AuditRecord) => {
    const row = { rowKey: newestFirst(record.id), ...toProperties(columns, record) };
    const all = { partitionKey: ALL, ...row };
    return record.customerId === undefined ? [all] : [all, { partitionKey: partitionOf(record.customerId), ...row }];
  };

  return {
    async insert(intent) {
      // A row that exists is this very one, whose answer was lost: nobody else has its ID.
      for (const row of rowsOf(intent)) await undefinedOn([409], table.createEntity(row));
    },
    async complete(record) {
      await Promise.all(rowsOf(record).map((row) => translateStorageErrors(table.upsertEntity(row, 'Replace'))));
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
      const byCustomer = Map.groupBy(items, ({ customerId }) => String(customerId ?? ''));
      for (const [customerId, rows] of byCustomer) {
        if (customerId !== '') await removeRows(table, partitionOf(customerId), rows);
      }
      await removeRows(table, ALL, items);
      return items.length;
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
