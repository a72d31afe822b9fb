import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import type { RowQuota } from '../../imports/import-store.ts';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import { rejectedRowsReached } from '../../kernel/quota.ts';
import { toStorageError, undefinedOn } from '../storage-errors.ts';
import { TRANSACTION_MAX } from './purge-partition.ts';
import { readEntities } from './read-entities.ts';
import { transactionFailure } from './transaction-failure.ts';

interface Counter {
  rows: number;
}

/** In the partition of a customer, beside its imports. */
const COUNTER = 'quota:rows';

/** Many imports of one customer may begin and end at the same time, and each round lets only one of them through. */
const RETRIES = { triesMax: 100, pauseMaxMs: 40 };

/**
 * Counts the rows of a customer's imports that count against its quota. The counter changes in the same transaction as
 * the imports, so it is always their sum.
 */
export function tableRowQuota(table: TableClient) {
  const read = (customerId: string) => undefinedOn([404], table.getEntity<Counter>(customerId, COUNTER));

  function change(customerId: string, found: Awaited<ReturnType<typeof read>>, by: number): TransactionAction {
    const counter = { partitionKey: customerId, rowKey: COUNTER, rows: Math.max(0, (found?.rows ?? 0) + by) };
    return found ? ['update', counter, 'Merge', { etag: found.etag }] : ['create', counter];
  }

  /** Resolves to the action that met a record which it did not expect, or to `undefined` if all were written. */
  async function commit(actions: TransactionAction[]): Promise<number | undefined> {
    try {
      await table.submitTransaction(actions);
      return undefined;
    } catch (error) {
      const failure = transactionFailure(error);
      if (!failure) throw toStorageError(error);
      return failure.index;
    }
  }

  return {
    /** Resolves to `false` if the import exists. */
    insert: (customerId: string, creation: TransactionAction, quotaRows: number, quota?: RowQuota) =>
      retryLostRaces(async () => {
        const found = await read(customerId);
        if (quota && (found?.rows ?? 0) + quota.unchecked > quota.max) {
          throw rejectedRowsReached(quota.max);
        }
        const failed = await commit([creation, change(customerId, found, quotaRows)]);
        if (failed === undefined) return true;
        return failed === 0 ? false : undefined;
      }, RETRIES),

    async recount(customerId: string, rowKey: string, quotaRows: number): Promise<void> {
      await retryLostRaces(async () => {
        const [found, current] = await Promise.all([
          read(customerId),
          undefinedOn([404], table.getEntity<{ quotaRows?: number }>(customerId, rowKey)),
        ]);
        const counted = current?.quotaRows ?? 0;
        if (!current || counted === quotaRows) return true;
        const failed = await commit([
          ['update', { partitionKey: customerId, rowKey, quotaRows }, 'Merge', { etag: current.etag }],
          change(customerId, found, quotaRows - counted),
        ]);
        return failed === undefined ? true : undefined;
      }, RETRIES);
    },

    /** Removes the rows that match, and what they count. */
    async purge(customerId: string, where: string): Promise<void> {
      const filter = `${odata`PartitionKey eq ${customerId}`} and ${where}`;
      const select = ['PartitionKey', 'RowKey', 'quotaRows'];
      await retryLostRaces(async () => {
        for (;;) {
          // Read first: if an import changes its count afterwards, the counter changes too and nothing is removed.
          const found = await read(customerId);
          const { items } = await readEntities(table, filter, { limit: TRANSACTION_MAX - 1, select });
          if (items.length === 0) return true;
          const counted = items.reduce((sum, { quotaRows }) => sum + Number(quotaRows ?? 0), 0);
          const failed = await commit([
            ...items.map(({ rowKey = '' }): TransactionAction => ['delete', { partitionKey: customerId, rowKey }]),
            change(customerId, found, -counted),
          ]);
          if (failed !== undefined) return undefined;
        }
      }, RETRIES);
    },
  };
}
