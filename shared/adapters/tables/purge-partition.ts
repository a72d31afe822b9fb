import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { statusOf, storageAway } from './table-errors.ts';

const PAIRS_MAX = 100;

/** Removes every row of a partition, a hundred at a time. Repeatable; rows that somebody else removes do not matter. */
export async function purgePartition(table: TableClient, partitionKey: string): Promise<void> {
  const filter = odata`PartitionKey eq ${partitionKey}`;
  try {
    for (;;) {
      const pages = table
        .listEntities({ queryOptions: { filter, select: ['PartitionKey', 'RowKey'] } })
        .byPage({ maxPageSize: PAIRS_MAX });
      const { value: page, done } = await pages.next();
      if (done || page.length === 0) return;
      const removals = page.map(({ rowKey = '' }): TransactionAction => ['delete', { partitionKey, rowKey }]);
      await table.submitTransaction(removals).catch((error: unknown) => {
        // Somebody removed one of them meanwhile: what is left is read again.
        if (statusOf(error) !== 404) throw error;
      });
    }
  } catch (error) {
    throw storageAway(error);
  }
}
