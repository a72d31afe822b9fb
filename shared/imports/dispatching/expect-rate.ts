import { shareOfPace } from '../pacing/pace-allowance.ts';
import { LIMIT_WINDOW_MS } from '../pacing/pace-level.ts';
import type { TenantPace } from '../pacing/tenant-pace.ts';
import type { Flow } from './flow.ts';

/** The measured rate is a mean over about this time: long enough to be calm, short enough to follow a change. */
const MEAN_MS = 30_000;
/** The rate is unknown until rows have been settled for this long. */
const KNOWN_AFTER_MS = 3_000;
/** After a longer gap, the dispatcher was not there, or the import was paused. Such a time says nothing. */
const GAP_MS = 15_000;
/** The pace is what limits an import that it has kept back within this time. */
const BOUND_WITHIN_MS = 15_000;

/** Brings the mean of settled rows per second up to date. */
export function measureMeanRate(flow: Flow, settled: number, sinceLastTickMs: number): void {
  const { perSecond, overMs } = flow.meanRate ?? { perSecond: 0, overMs: 0 };
  // Until the first row is settled, the import has not begun to move.
  if (sinceLastTickMs > GAP_MS || (overMs === 0 && settled === 0)) return;
  const measured = (settled / sinceLastTickMs) * 1000;
  const total = Math.min(MEAN_MS, overMs + sinceLastTickMs);
  flow.meanRate = { perSecond: perSecond + (measured - perSecond) * (sinceLastTickMs / total), overMs: total };
}

/**
 * How many rows will be settled per second, as far as can be told: the tenant's pace if that is what limits the import,
 * and otherwise what was measured. Nobody knows while Microsoft does not answer.
 */
export function expectRate(flow: Flow, pace: TenantPace, now: number): number | undefined {
  if (pace.mode === 'down') return undefined;
  const isBound = pace.mode !== 'free' && pace.limit > 0 && now - flow.paceBoundAt <= BOUND_WITHIN_MS;
  if (isBound) return shareOfPace(pace, { ...flow, now }) / (LIMIT_WINDOW_MS / 1000) / flow.cost;
  const { perSecond, overMs } = flow.meanRate ?? { perSecond: 0, overMs: 0 };
  return overMs >= KNOWN_AFTER_MS && perSecond > 0 ? perSecond : undefined;
}
