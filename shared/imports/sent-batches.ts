import type { Import, SentBatch } from './import.ts';

/** How many batches an import remembers. Beyond that, the oldest are merged. */
const BATCHES_MAX = 50;
/** Fresh batches that follow each other within this time are put together. */
const TOGETHER_MS = 5_000;

/** One past the last line that was sent. Scouts lie above the cursor. */
export function endOfSent({ cursor, scoutedLines = [] }: Pick<Import, 'cursor' | 'scoutedLines'>): number {
  return scoutedLines.reduce((end, line) => Math.max(end, line + 1), cursor);
}

/** Adds a batch of fresh rows. Continues the newest one while that is young. */
export function addFresh(batches: readonly SentBatch[], from: number, to: number, sentAt: Date): SentBatch[] {
  const last = batches.findLast((batch) => !batch.isReturned);
  const firstSentAt = last?.firstSentAt ?? last?.sentAt ?? sentAt;
  const continues = last && !last.handedOutAt && last.to === from;
  if (continues && sentAt.getTime() - firstSentAt.getTime() < TOGETHER_MS) {
    return batches.map((batch) => (batch === last ? { ...batch, to, sentAt, firstSentAt } : batch));
  }
  return mergeOldest([...batches, { from, to, sentAt }]);
}

/** Adds a batch of rows that had waited, or that are sent again. */
export function addReturned(
  batches: readonly SentBatch[],
  lines: readonly number[],
  sentAt: Date,
): readonly SentBatch[] {
  if (lines.length === 0) return batches;
  return mergeOldest([...batches, { from: Math.min(...lines), to: Math.max(...lines) + 1, sentAt, isReturned: true }]);
}

/** Keeps the list short by merging the two batches that were sent first. Batches sent later keep their own times. */
function mergeOldest(batches: readonly SentBatch[]): SentBatch[] {
  const byAge = [...batches].sort((a, b) => a.sentAt.getTime() - b.sentAt.getTime());
  while (byAge.length > BATCHES_MAX) {
    const [first, second, ...rest] = byAge as [SentBatch, SentBatch, ...SentBatch[]];
    const { sentAt } = second;
    const from = Math.min(first.from, second.from);
    byAge.splice(0, byAge.length, { from, to: Math.max(first.to, second.to), sentAt, isReturned: true }, ...rest);
  }
  return byAge;
}
