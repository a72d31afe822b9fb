import type { Clock } from '../kernel/clock.ts';
import type { PoisonArchive } from './poison-archive.ts';

export interface RemoveOldPoisonDeps {
  poisonArchive: Pick<PoisonArchive, 'removeOld'>;
  clock: Clock;
}

const DAY_MS = 86_400_000;
/** Until then, a second decision about a message finds that there is nothing to do. */
const DECIDED_KEPT_MS = 30 * DAY_MS;
/** A message has an address in it. After this time, its work is of no use to anybody. */
const KEPT_MS = 90 * DAY_MS;
const REMOVED_MAX = 10_000;

/** Removes poison messages that were decided 30 days ago, and those that nobody has decided in 90. For a daily timer. */
export function removeOldPoison({ poisonArchive, clock }: RemoveOldPoisonDeps): Promise<number> {
  const now = clock.now().getTime();
  const before = { decided: new Date(now - DECIDED_KEPT_MS), archived: new Date(now - KEPT_MS) };
  return poisonArchive.removeOld(before, REMOVED_MAX);
}
