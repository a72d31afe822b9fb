import type { Ledger, LedgerChange } from './ledger.ts';

/**
 * Writes a row and its mailbox for each item, all in one transaction. Takes at most `PAIRS_MAX` items.
 *
 * An item whose row or mailbox has changed is left out: the other writer knew more. Repeatable. Rejects with
 * `storage_unavailable`.
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
    const conflicting = left[Math.floor(result.index / 2)];
    left = left.filter((item) => item !== conflicting);
  }
}
