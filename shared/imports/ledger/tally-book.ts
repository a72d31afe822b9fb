import { LRUCache } from 'lru-cache';
import type { LedgerChange } from './ledger.ts';
import { addCounts, type Tally, type TallyCounts, zeroCounts } from './tally.ts';

/** A count that is about to be committed together with the rows it counts. */
export interface TallyEntry {
  change: LedgerChange;
  /** The transaction was committed; `tag` is the tally's new one. */
  committed(tag: string): void;
  /** The transaction's outcome, or the tally itself, is in doubt: leave this tally row as it is and never write it again. */
  abandon(): void;
}

/**
 * This process's own tallies, one for each import it settles rows of.
 *
 * A tally is always written conditionally. When an answer was lost the count may or may not have been committed, so the
 * row is abandoned and the next count begins a new row from zero: what was committed still counts, what was not does not.
 * Only one transaction per connection may be in flight while an entry is open (see `createSerialByKey`).
 */
export interface TallyBook {
  add(importId: string, counts: Partial<TallyCounts>): TallyEntry;
}

/** @param processId random, of this process start. */
export function createTallyBook(processId: string): TallyBook {
  // Forgetting one is harmless: the import's next count from this process begins another row.
  const open = new LRUCache<string, { tally: Tally; tag: string | undefined }>({ max: 1000 });
  let serial = 0;

  return {
    add(importId, counts) {
      const current = open.get(importId) ?? {
        tally: { importId, writer: `${processId}.${++serial}`, counts: { ...zeroCounts } },
        tag: undefined,
      };
      const next: Tally = { ...current.tally, counts: addCounts(current.tally.counts, counts) };
      return {
        change: { op: 'writeTally', tally: next, ...(current.tag !== undefined && { tag: current.tag }) },
        committed: (tag) => void open.set(importId, { tally: next, tag }),
        abandon: () => void open.delete(importId),
      };
    },
  };
}
