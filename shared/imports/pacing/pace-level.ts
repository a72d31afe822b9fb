import type { TenantPace } from './tenant-pace.ts';

/** Microsoft counts requests over this time. */
export const LIMIT_WINDOW_MS = 10_000;

/** Sent below the limit: 97 % of it, less a part of one mailbox, because a mailbox is asked as a whole. */
const UTILIZATION = 0.97;
const WHOLE_MAILBOX_SHARE = 0.12;
const STEP_MS = 10_000;
const STEP = 1.05;
/** After some small steps without a complaint the limit has probably changed, and the steps become large. */
const SMALL_STEPS = 3;
const LARGE_STEP = 1.4;

/** How many steps above the learnt limit are tried now. Time alone raises it, so that nobody needs to write it. */
export function stepAt(pace: TenantPace, now: number, cost: number): number {
  const stepMs = Math.max(STEP_MS, (8 * cost * LIMIT_WINDOW_MS) / pace.limit);
  const quietMs = Math.max(pace.quietMs, 1.5 * stepMs);
  return Math.max(0, Math.floor((now - pace.since - quietMs) / stepMs) + 1);
}

/**
 * Requests in ten seconds that may be asked at that step.
 *
 * @param cost requests for one mailbox
 */
export function levelAt({ limit }: TenantPace, step: number, cost: number): number {
  const raise = STEP ** Math.min(step, SMALL_STEPS) * LARGE_STEP ** Math.max(0, step - SMALL_STEPS);
  const level = UTILIZATION * limit - WHOLE_MAILBOX_SHARE * cost;
  // Ten seconds hold one mailbox, and nothing is won by asking the next one before they are over.
  const whole = limit >= cost && limit < 2 * cost ? UTILIZATION * cost : Number.POSITIVE_INFINITY;
  return Math.min(level, whole) * raise;
}
