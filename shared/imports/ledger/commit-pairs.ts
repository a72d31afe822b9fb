import type { Ledger, LedgerChange } from './ledger.ts';

/** How many items `commitPairs` takes, at most: what one transaction holds beside a tally. */
export const PAIRS_MAX = 49;

/**
 * Writes a row and its mailbox for each item, all in one transaction. An item that meets a conflict is left out: whoever
 * changed it meanwhile knew more. Repeatable; rejects with `storage_unavailable`.
 */
export async function commitPairs<Item>(
  ledger: Ledger,
  connectionId: string,
  items: readonly Item[],
  changesOf: (item: Item) => [row: LedgerChange, mailbox: LedgerChange],
): Promise<void> {
  let left = items;
  while (left.length > 0) {
    const result = await ledger.commit(connectionId, left.flatMap(changesOf));
    if (result.committed) return;
    const lost = left[Math.floor(result.index / 2)];
    left = left.filter((item) => item !== lost);
  }
}
