import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { addExplained, addSettled, type ExplainedMailbox } from './cause-tally.ts';
import type { LedgerChange } from './ledger.ts';
import type { ReportBook } from './report-book.ts';
import type { SettledMailbox } from './settled-mailbox.ts';
import { addCounts, type Tally, type TallyCounts, zeroCounts } from './tally.ts';
import type { TellChecked } from './tell-checked.ts';

/** A count that is about to be committed together with the rows it counts. */
export interface TallyEntry {
  /** The batch of settled rows, if there are any, and then the tally. */
  changes: readonly LedgerChange[];
  /** The transaction was committed; `tag` is the tally's new tag. */
  committed(tag: string): void;
  /** It is unknown whether the transaction was committed. This tally is never written again. */
  abandon(): void;
}

/**
 * The tallies of this process, one for each import whose rows it settles.
 *
 * A tally is always written conditionally. When an answer is lost, nobody knows whether the count was committed. The
 * tally is then abandoned and the next count starts a new one from zero: a committed count still counts, a lost one
 * never does. While an entry is open, no other transaction of the same connection may run in this process (see
 * `createSerialByKey`).
 */
export interface TallyBook {
  /**
   * @param settled every row that the transaction settles
   * @param explained every settled row that the transaction explains by another cause
   */
  add(
    importId: string,
    counts: Partial<TallyCounts>,
    settled?: readonly SettledMailbox[],
    explained?: readonly ExplainedMailbox[],
  ): TallyEntry;
  /** The same for mailboxes that are done without a check. They are in the log, and have no verdict to tell. */
  addDone(importId: string, counts: Partial<TallyCounts>, done: readonly SettledMailbox[]): TallyEntry;
}

/**
 * @param processId random, new at each process start
 * @param tellChecked called once a transaction that settles rows is known to be committed
 */
export function createTallyBook(
  processId: string,
  reports: Pick<ReportBook, 'write'>,
  clock: Clock,
  tellChecked: TellChecked = () => undefined,
): TallyBook {
  // Forgetting a tally is harmless: the import's next count from this process starts another one.
  const open = new LRUCache<string, { tally: Tally; tag: string | undefined }>({ max: 1000 });
  let serial = 0;

  const createAdd =
    (tell: TellChecked): TallyBook['add'] =>
    (importId, counts, settled = [], explained = []) => {
      const current = open.get(importId) ?? {
        tally: { importId, writer: `${processId}.${++serial}`, counts: { ...zeroCounts } },
        tag: undefined,
      };
      const report = reports.write(importId);
      const batch = settled.length > 0 ? nextBatch(current.tally, settled, clock.now()) : undefined;
      const next: Tally = {
        ...current.tally,
        counts: addCounts(current.tally.counts, counts),
        causes: addExplained(addSettled(current.tally.causes ?? {}, settled), explained),
        ...(report && { report }),
        ...(batch && { settledBatches: batch.serial, settledAt: batch.settledAt }),
      };
      return {
        changes: [
          ...(batch ? [{ op: 'createSettledBatch' as const, batch }] : []),
          { op: 'writeTally', tally: next, ...(current.tag !== undefined && { tag: current.tag }) },
        ],
        committed(tag) {
          open.set(importId, { tally: next, tag });
          if (settled.length > 0) tell(importId, settled);
        },
        abandon: () => void open.delete(importId),
      };
    };

  return { add: createAdd(tellChecked), addDone: createAdd(() => undefined) };
}

function nextBatch(tally: Tally, mailboxes: readonly SettledMailbox[], now: Date) {
  const { importId, writer, settledBatches = 0, settledAt: lastAt } = tally;
  // A clock may stand still between two transactions, or be set back.
  const settledAt = new Date(Math.max(now.getTime(), (lastAt?.getTime() ?? 0) + 1));
  return { importId, writer, serial: settledBatches + 1, settledAt, mailboxes };
}
