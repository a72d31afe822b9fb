import { type Import, isEnded } from '../import.ts';
import type { Counts } from '../ledger/counts.ts';

/**
 * About how many seconds a running import still needs: its open rows at the rate that its dispatcher expects, after the
 * time for which it sleeps. `null` as long as nobody knows. Costs no read.
 *
 * The longer it takes, the coarser the steps, so that it does not change with every look.
 */
export function estimateSecondsLeft(
  { status, flow, wakeUpAt }: Pick<Import, 'status' | 'flow' | 'wakeUpAt'>,
  { pending, waiting }: Pick<Counts, 'pending' | 'waiting'>,
  now: Date,
): number | null {
  if (isEnded(status)) return 0;
  const perSecond = flow?.expectedPerSecond;
  if (status !== 'running' || !perSecond) return null;
  const asleepMs = Math.max(0, (wakeUpAt?.getTime() ?? 0) - now.getTime());
  return roundUp((pending + waiting) / perSecond + asleepMs / 1000);
}

function roundUp(seconds: number): number {
  const step = seconds < 60 ? 1 : seconds < 600 ? 5 : 60;
  return Math.ceil(seconds / step) * step;
}
