import type { TenantPace } from './tenant-pace.ts';

/** Microsoft counts requests over this time. */
export const LIMIT_WINDOW_MS = 10_000;

/** Sent below the limit: 97 % of it, less a part of one mailbox, because a mailbox is asked as a whole. */
const UTILIZATION = 0.97;
const WHOLE_MAILBOX_SHARE = 0.12;
/** The limit is known this well. One that was lowered once lets as many whole mailboxes through as before. */
const UNCERTAINTY = 1.035;
const STEP_MS = 10_000;
const STEP_MAILBOXES = 8;
const STEP = 1.05;
/** After some small steps without a complaint the limit has probably changed, and the steps become large. */
const SMALL_STEPS = 3;
const LARGE_STEP = 1.4;

/** A step lasts for ten seconds, and long enough for eight mailboxes: fewer do not tell what Microsoft lets through. */
export function stepLength({ limit }: TenantPace, cost: number): number {
  return Math.max(STEP_MS, (STEP_MAILBOXES * cost * LIMIT_WINDOW_MS) / limit);
}

/** How many steps above the learnt limit are tried now. Time alone raises it, so that nobody needs to write it. */
export function stepAt(pace: TenantPace, now: number, cost: number): number {
  const stepMs = stepLength(pace, cost);
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
  // Ten seconds hold so many whole mailboxes. Of one more, the last questions would be refused, and asked again later.
  const wholeMailboxes = Math.floor((UNCERTAINTY * limit) / cost);
  const whole = wholeMailboxes > 0 ? UTILIZATION * wholeMailboxes * cost : Number.POSITIVE_INFINITY;
  return Math.min(level, whole) * raise;
}
