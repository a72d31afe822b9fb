import type { TableClient, TransactionAction } from '@azure/data-tables';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import type { Slots } from '../../plans/slots.ts';
import { toStorageError, undefinedOn } from '../storage-errors.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { transactionFailure } from './transaction-failure.ts';

interface Count {
  limit: number;
  used: number;
}
interface Claim {
  count: number;
  /** How many slots the import has given back. They need not be those of this claim. */
  freed?: number;
  reclaimed?: number;
  /** The import has ended. */
  released: boolean;
  /** It has ended without a claim. */
  isTombstone?: boolean;
}

const SLOTS = 'slots';
const claimKey = (importId: string) => escapeKey(`claim:${importId}`);
const reclaimKey = (reclaimId: string) => escapeKey(`reclaim:${reclaimId}`);
const releaseKey = (releaseId: string) => escapeKey(`release:${releaseId}`);

/** Many writers may compete for a customer's one count, and each round lets only one of them through. */
const RETRIES = { triesMax: 200, pauseMaxMs: 40 };

/** Slots in a customer's own partition: the count, and a row for each claim and release that changed it. */
export function tableSlots(table: TableClient): Slots {
  async function read<T extends object>(customerId: string, rowKey: string) {
    return undefinedOn([404], table.getEntity<T>(escapeKey(customerId), rowKey));
  }

  /** Commits all or nothing. Resolves to `false` if a row has changed or exists already. */
  async function commit(actions: TransactionAction[]): Promise<boolean> {
    try {
      await table.submitTransaction(actions);
      return true;
    } catch (error) {
      if (transactionFailure(error)) return false;
      throw toStorageError(error);
    }
  }

  const untilWritten = <T>(tryOnce: () => Promise<T | undefined>) => retryLostRaces(tryOnce, RETRIES);

  async function giveBack(customerId: string, importId: string, freed: number, isLast: boolean): Promise<void> {
    await untilWritten(async () => {
      const [row, claim] = await Promise.all([
        read<Count>(customerId, SLOTS),
        read<Claim>(customerId, claimKey(importId)),
      ]);
      if (!row || claim?.released || (!claim && !isLast)) return true;
      const before = claim?.freed ?? 0;
      const freedNow = claim ? Math.max(0, freed - before) : 0;
      if (freedNow === 0 && !isLast) return true;
      const partitionKey = escapeKey(customerId);
      const rowKey = claimKey(importId);
      const used = Math.max(0, row.used - freedNow);
      // Without a claim, a tombstone keeps a late planner from claiming slots that nothing would ever give back.
      const marked: TransactionAction = claim
        ? [
            'update',
            { partitionKey, rowKey, freed: before + freedNow, released: isLast },
            'Merge',
            { etag: claim.etag },
          ]
        : ['create', { partitionKey, rowKey, count: 0, released: true, isTombstone: true }];
      const isDone = await commit([
        ['update', { partitionKey, rowKey: SLOTS, used }, 'Merge', { etag: row.etag }],
        marked,
      ]);
      return isDone ? true : undefined;
    });
  }

  return {
    async open(customerId, limit) {
      const row = { partitionKey: escapeKey(customerId), rowKey: SLOTS, limit, used: 0 };
      await undefinedOn([409], table.createEntity(row));
    },
    async get(customerId) {
      const row = await read<Count>(customerId, SLOTS);
      return row && { limit: row.limit, used: row.used };
    },
    async getTagged(customerId) {
      const row = await read<Count>(customerId, SLOTS);
      return row && { value: { limit: row.limit, used: row.used }, tag: row.etag };
    },
    async correct(customerId, used, tag) {
      const change = { partitionKey: escapeKey(customerId), rowKey: SLOTS, used };
      const written = await undefinedOn([404, 412], table.updateEntity(change, 'Merge', { etag: tag }));
      return written !== undefined;
    },
    setLimit: (customerId, limit) =>
      untilWritten(async () => {
        const row = await read<Count>(customerId, SLOTS);
        if (!row) return false;
        const change = { partitionKey: escapeKey(customerId), rowKey: SLOTS, limit };
        const written = await undefinedOn([404, 412], table.updateEntity(change, 'Merge', { etag: row.etag }));
        return written ? true : undefined;
      }),
    claim: (customerId, importId, count) =>
      untilWritten(async () => {
        const [row, claim] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<Claim>(customerId, claimKey(importId)),
        ]);
        if (claim) return claim.released ? 'released' : 'already';
        if (!row || (count > 0 && row.used + count > row.limit)) return 'limit';
        const partitionKey = escapeKey(customerId);
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used: row.used + count }, 'Merge', { etag: row.etag }],
          ['create', { partitionKey, rowKey: claimKey(importId), count, released: false }],
        ]);
        return isDone ? 'claimed' : undefined;
      }),
    giveBack: (customerId, importId, freed) => giveBack(customerId, importId, freed, false),
    trim: (customerId, importId, freed) => giveBack(customerId, importId, freed, true),
    reclaim: (customerId, importId, reclaimId) =>
      untilWritten(async () => {
        const [row, claim, taken] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<Claim>(customerId, claimKey(importId)),
          read<object>(customerId, reclaimKey(reclaimId)),
        ]);
        const partitionKey = escapeKey(customerId);
        const rowKey = claimKey(importId);
        const open = { partitionKey, rowKey, released: false, isTombstone: false };
        if (!row || (!taken && row.used + 1 > row.limit)) return 'limit';
        if (taken && !claim?.released) return 'already';
        if (taken && claim) {
          return (await commit([['update', open, 'Merge', { etag: claim.etag }]])) ? 'already' : undefined;
        }
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used: row.used + 1 }, 'Merge', { etag: row.etag }],
          claim
            ? ['update', { ...open, reclaimed: (claim.reclaimed ?? 0) + 1 }, 'Merge', { etag: claim.etag }]
            : ['create', { ...open, count: 0, reclaimed: 1 }],
          ['create', { partitionKey, rowKey: reclaimKey(reclaimId) }],
        ]);
        return isDone ? 'reclaimed' : undefined;
      }),
    async undoReclaim(customerId, importId, reclaimId) {
      await untilWritten(async () => {
        const [row, claim, taken] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<Claim>(customerId, claimKey(importId)),
          read<object>(customerId, reclaimKey(reclaimId)),
        ]);
        if (!row || !claim || !taken) return true;
        const partitionKey = escapeKey(customerId);
        const rowKey = claimKey(importId);
        const reclaimed = Math.max(0, (claim.reclaimed ?? 0) - 1);
        const used = Math.max(0, row.used - 1);
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used }, 'Merge', { etag: row.etag }],
          ['update', { partitionKey, rowKey, reclaimed }, 'Merge', { etag: claim.etag }],
          ['delete', { partitionKey, rowKey: reclaimKey(reclaimId) }],
        ]);
        return isDone ? true : undefined;
      });
    },
    async getClaim(customerId, importId) {
      const claim = await read<Claim>(customerId, claimKey(importId));
      return claim && !claim.isTombstone
        ? {
            count: claim.count,
            freed: claim.freed ?? 0,
            reclaimed: claim.reclaimed ?? 0,
            isReleased: claim.released,
          }
        : undefined;
    },
    async free(customerId, releaseId, count = 1) {
      await untilWritten(async () => {
        const [row, release] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<object>(customerId, releaseKey(releaseId)),
        ]);
        if (!row || release) return true;
        const partitionKey = escapeKey(customerId);
        const used = Math.max(0, row.used - count);
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used }, 'Merge', { etag: row.etag }],
          ['create', { partitionKey, rowKey: releaseKey(releaseId) }],
        ]);
        return isDone ? true : undefined;
      });
    },
    purge: (customerId) => purgePartition(table, escapeKey(customerId)),
  };
}
