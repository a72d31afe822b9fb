import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import { toStorageError, undefinedOn } from '../storage-errors.ts';
import { readEntities } from './read-entities.ts';
import { type TransactionFailure, transactionFailure } from './transaction-failure.ts';

interface Quota {
  partitionKey: string;
  /** Row key of the guard: an empty row that every creation rewrites. */
  guard: string;
  /** A filter for the rows that count. */
  counted: string;
  max: number;
}

/**
 * Creates rows, unless `max` rows that count exist already.
 *
 * Exact under concurrency: the guard is read before the rows are counted and rewritten in the same transaction that
 * creates. A creation in between changes the guard's tag, and this one counts again. The rows themselves are counted,
 * so there is no counter that could go wrong.
 */
export async function createWithinQuota(
  table: TableClient,
  { partitionKey, guard, counted, max }: Quota,
  creations: readonly TransactionAction[],
): Promise<'created' | 'full' | TransactionFailure> {
  const filter = `${odata`PartitionKey eq ${partitionKey}`} and (${counted})`;
  return retryLostRaces(async () => {
    const found = await undefinedOn([404], table.getEntity(partitionKey, guard));
    const { items } = await readEntities(table, filter, { limit: max, select: ['RowKey'] });
    if (items.length >= max) return 'full';
    const row = { partitionKey, rowKey: guard };
    try {
      await table.submitTransaction([
        ...creations,
        found ? ['update', row, 'Merge', { etag: found.etag }] : ['create', row],
      ]);
      return 'created';
    } catch (error) {
      const failure = transactionFailure(error);
      if (!failure) throw toStorageError(error);
      return failure.index === creations.length ? undefined : failure;
    }
  });
}
