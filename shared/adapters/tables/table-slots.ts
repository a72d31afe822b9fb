import { setTimeout as sleep } from 'node:timers/promises';
import type { TableClient, TransactionAction } from '@azure/data-tables';
import { DomainError } from '../../kernel/errors.ts';
import type { Slots } from '../../plans/slots.ts';
import { escapeKey } from './keys.ts';
import { purgePartition } from './purge-partition.ts';
import { storageAway, transactionFailure, unless } from './table-errors.ts';

interface Count {
  limit: number;
  used: number;
}
interface Claim {
  count: number;
  released: boolean;
}

const SLOTS = 'slots';
const claimKey = (importId: string) => escapeKey(`claim:${importId}`);
const releaseKey = (releaseId: string) => escapeKey(`release:${releaseId}`);

/** Many writers may want the one number of a customer at once; each round lets one of them through. */
const ROUNDS_MAX = 200;
const PAUSE_MAX_MS = 40;

/** Slots in a customer's own partition: the number, and a row for each claim and release that moved it. */
export function tableSlots(table: TableClient): Slots {
  async function read<T extends object>(customerId: string, rowKey: string) {
    return unless(table.getEntity<T>(escapeKey(customerId), rowKey), 404);
  }

  /** Commits all or nothing; `false` when something in it has changed or is there already. */
  async function commit(actions: TransactionAction[]): Promise<boolean> {
    try {
      await table.submitTransaction(actions);
      return true;
    } catch (error) {
      if (transactionFailure(error)) return false;
      throw storageAway(error);
    }
  }

  /** Reads, decides and writes until nobody else has come in between. `undefined` asks for another round. */
  async function untilWritten<T>(round: () => Promise<T | undefined>): Promise<T> {
    for (let i = 0; i < ROUNDS_MAX; i++) {
      const result = await round();
      if (result !== undefined) return result;
      await sleep(Math.random() * Math.min(PAUSE_MAX_MS, 2 ** i));
    }
    throw new DomainError('storage_unavailable', 'Too many changes at once. Please try again shortly.', {
      retryAfterSeconds: 1,
    });
  }

  return {
    async open(customerId, limit) {
      const row = { partitionKey: escapeKey(customerId), rowKey: SLOTS, limit, used: 0 };
      await unless(table.createEntity(row), 409);
    },
    async get(customerId) {
      const row = await read<Count>(customerId, SLOTS);
      return row && { limit: row.limit, used: row.used };
    },
    setLimit: (customerId, limit) =>
      untilWritten(async () => {
        const row = await read<Count>(customerId, SLOTS);
        if (!row) return false;
        const change = { partitionKey: escapeKey(customerId), rowKey: SLOTS, limit };
        const done = await unless(table.updateEntity(change, 'Merge', { etag: row.etag }), 404, 412);
        return done ? true : undefined;
      }),
    claim: (customerId, importId, count) =>
      untilWritten(async () => {
        const [row, claim] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<Claim>(customerId, claimKey(importId)),
        ]);
        if (claim) return claim.released ? 'released' : 'already';
        if (!row || row.used + count > row.limit) return 'limit';
        const partitionKey = escapeKey(customerId);
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used: row.used + count }, 'Merge', { etag: row.etag }],
          ['create', { partitionKey, rowKey: claimKey(importId), count, released: false }],
        ]);
        return isDone ? 'claimed' : undefined;
      }),
    async trim(customerId, importId, freed) {
      await untilWritten(async () => {
        const [row, claim] = await Promise.all([
          read<Count>(customerId, SLOTS),
          read<Claim>(customerId, claimKey(importId)),
        ]);
        if (!row || claim?.released) return true;
        const partitionKey = escapeKey(customerId);
        const rowKey = claimKey(importId);
        if (!claim) {
          // In its place a row that says so, or a late planner could still claim what nobody would ever release.
          const tombstone = table.createEntity({ partitionKey, rowKey, count: 0, released: true });
          return (await unless(tombstone, 409)) ? true : undefined;
        }
        const used = Math.max(0, row.used - Math.min(Math.max(0, freed), claim.count));
        const isDone = await commit([
          ['update', { partitionKey, rowKey: SLOTS, used }, 'Merge', { etag: row.etag }],
          ['update', { partitionKey, rowKey, released: true }, 'Merge', { etag: claim.etag }],
        ]);
        return isDone ? true : undefined;
      });
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
