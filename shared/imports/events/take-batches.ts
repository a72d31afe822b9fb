import type { SettledBatch } from '../ledger/settled-batch.ts';
import { sumTallies, type Tally } from '../ledger/tally.ts';
import { type Position, pruneWriters, QUIET_MS } from './position.ts';

/** A part of an import's log, from an instant on. Without tallies, there is more after the last batch. */
export interface LogPage {
  from: number;
  batches: readonly SettledBatch[];
  tallies?: readonly Tally[];
}

/**
 * Takes the batches that were not told yet from a page, each writer's in its order, and moves the position past each of
 * them before it is yielded. A batch behind a gap stays for later: its writer's clock may be behind, so that the gap lies
 * before the page.
 *
 * @param passFrom where the reading began that this page belongs to
 */
export function* takeBatches(position: Position, { batches }: LogPage, passFrom: number): Generator<SettledBatch> {
  const { writers } = position;
  const toldUntil = position.since - QUIET_MS;
  for (const batch of batches) {
    const at = batch.settledAt.getTime();
    const known = writers.get(batch.writer);
    const isNext = known
      ? batch.serial === known.serial + 1
      : at > toldUntil && (batch.serial === 1 || passFrom <= toldUntil);
    if (!isNext) continue;
    writers.set(batch.writer, { serial: batch.serial, at });
    yield batch;
  }
}

/** Whether everything that the tallies count has been told. */
export function hasToldAll({ writers, since }: Position, tallies: readonly Tally[]): boolean {
  return tallies.every(({ writer, settledBatches = 0, settledAt }) => {
    if (settledBatches === 0) return true;
    const known = writers.get(writer);
    return known ? known.serial >= settledBatches : (settledAt?.getTime() ?? 0) <= since - QUIET_MS;
  });
}

/** Moves the position to where these tallies are: everything that they count is told, or never will be. */
export function moveTo(position: Position, tallies: readonly Tally[], now: number): void {
  for (const { writer, settledBatches = 0, settledAt } of tallies) {
    if (settledBatches > 0) position.writers.set(writer, { serial: settledBatches, at: settledAt?.getTime() ?? now });
  }
  const { passed, failed, inconclusive, cancelled } = sumTallies(tallies);
  position.told = { passed, failed, inconclusive, cancelled };
  const newest = Math.max(position.since, ...tallies.map(({ settledAt }) => settledAt?.getTime() ?? 0));
  // A writer whose clock is ahead must not take the others along.
  position.since = Math.max(position.since, Math.min(newest, now));
  pruneWriters(position);
}
