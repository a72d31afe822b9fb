import { shareOfPace } from '../pacing/pace-allowance.ts';
import { LIMIT_WINDOW_MS } from '../pacing/pace-level.ts';
import type { TenantPace } from '../pacing/tenant-pace.ts';
import type { Flow } from './flow.ts';

/**
 * A message that waits on a short queue is received up to a second later, because the platform polls no more often. At
 * higher rates the queue is polled all the time, and this many messages would wait in a worker's hand.
 */
const DELAY_MAX_MS = 1_000;
const DELAYED_MAX = 8;
/** However many messages were granted, none waits in a worker's hand for longer than this. */
const AHEAD_MAX_MS = 2_000;

/**
 * When the next message shall be asked, if the tenant's pace is known.
 *
 * The platform delivers messages in bursts, and Microsoft counts bursts. So each message names its instant, as evenly
 * spaced as the pace is, and the worker waits for it. This is what a jitter buffer does for sound.
 */
export function nextAskAt(flow: Flow, pace: TenantPace, now: number): Date | undefined {
  if (pace.mode !== 'paced') return undefined;
  const everyMs = (LIMIT_WINDOW_MS * flow.cost) / shareOfPace(pace, { ...flow, now });
  const earliest = now + Math.min(DELAY_MAX_MS, DELAYED_MAX * everyMs);
  const askAt = Math.min(Math.max(earliest, flow.nextAskAt ?? 0), earliest + AHEAD_MAX_MS);
  flow.nextAskAt = askAt + everyMs;
  return new Date(askAt);
}
