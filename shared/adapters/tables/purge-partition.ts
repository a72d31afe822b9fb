import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { undefinedOn } from '../storage-errors.ts';
import { PAGE_MAX, readEntities } from './read-entities.ts';

/** The largest transaction that Table Storage accepts. */
export const TRANSACTION_MAX = 100;

/**
 * Removes the rows of a partition. Repeatable, also while another caller removes the same rows.
 *
 * @param where limits it to the rows that match this filter
 */
export async function purgePartition(table: TableClient, partitionKey: string, where?: string): Promise<void> {
  const partition = odata`PartitionKey eq ${partitionKey}`;
  const filter = where === undefined ? partition : `${partition} and ${where}`;
  while (!(await purgePage(table, partitionKey, filter)));
}

/** Removes one page of the rows that match. Resolves to whether it found none. Repeatable in the same way. */
export async function purgePage(table: TableClient, partitionKey: string, filter: string): Promise<boolean> {
  const { items } = await readEntities(table, filter, { limit: PAGE_MAX, select: ['PartitionKey', 'RowKey'] });
  for (let from = 0; from < items.length; from += TRANSACTION_MAX) {
    const removals = items
      .slice(from, from + TRANSACTION_MAX)
      .map(({ rowKey = '' }): TransactionAction => ['delete', { partitionKey, rowKey }]);
    // 404: another caller removed one of the rows, and the transaction removed none. The next read finds the rest.
    await undefinedOn([404], table.submitTransaction(removals));
  }
  return items.length === 0;
}
