import { LIMIT_WINDOW_MS, levelAt, stepAt } from './pace-level.ts';
import { countSharers, type TenantPace } from './tenant-pace.ts';

/** Where an import stands when it asks how much it may send. */
export interface Standing extends Share {
  importId: string;
  /** How long the next tick lasts, and how long the last one took. */
  tickMs: number;
  sinceLastTickMs: number;
  /** Messages that the pace has granted and that were not sent yet. */
  tokens: number;
  /** Messages under way. */
  outstanding: number;
  /** The least time that messages were under way lately, if any were. */
  leastFlightMs: number | undefined;
  /** Requests of this import within the last so many milliseconds. */
  usedWithin(ms: number): number;
}

export interface Allowance {
  /** How many messages may be sent. */
  messages: number;
  tokens: number;
  isProbe: boolean;
}

/** In a recovery after a complaint, this share of the pace is used. */
const EASY_SHARE = 0.9;
const PROBE_PATIENCE_MS = 15_000;
/** A hold waits for the messages under way, but no longer than this. */
const DRAIN_MAX_MS = 10_000;
/** Requests of one probe, at least. */
const PROBE_COST = 3;
const UNKNOWN_FLIGHT_MS = 1_000;
/** The limit is tested by an import that still takes so many times as long as the pace is kept, or this long. */
const TESTED_QUIETS = 2;
const TESTED_MAX_MS = 240_000;

/** How many messages the tenant's pace lets an import send in the next tick. */
export function allowanceOf(pace: TenantPace, standing: Standing): Allowance {
  switch (pace.mode) {
    case 'free':
      return { messages: Number.POSITIVE_INFINITY, tokens: standing.tokens, isProbe: false };
    case 'paced':
      return pacedAllowance(pace, standing);
    case 'hold':
      return { messages: isHoldOver(pace, standing) ? 1 : 0, tokens: 0, isProbe: true };
    case 'down':
      return { messages: standing.now >= pace.nextProbeAt ? 1 : 0, tokens: 0, isProbe: true };
  }
}

function isHoldOver(pace: TenantPace, { now, outstanding, usedWithin }: Standing): boolean {
  const hasDrained = outstanding === 0 || now - pace.cutAt > DRAIN_MAX_MS;
  const hasRoom = usedWithin(LIMIT_WINDOW_MS) + PROBE_COST <= pace.limit;
  const isProbing = pace.probe !== undefined && now - pace.probe.sentAt <= PROBE_PATIENCE_MS;
  return now >= pace.holdUntil && hasDrained && hasRoom && !isProbing;
}

/** A token bucket, within what will still count in Microsoft's ten seconds when these messages are asked. */
function pacedAllowance(pace: TenantPace, standing: Standing): Allowance {
  const { now, tickMs, sinceLastTickMs, cost, outstanding, usedWithin } = standing;
  if (now < pace.holdUntil) return { messages: 0, tokens: 0, isProbe: false };
  const sharers = countSharers(pace, now);
  const level = shareOfPace(pace, standing);
  const perSecond = level / (LIMIT_WINDOW_MS / 1000) / cost;
  // A hold grants nothing. Otherwise it would end with a burst, and the burst with the next complaint.
  const grantedMs = Math.min(sinceLastTickMs, now - pace.holdUntil);
  const tokens = Math.min(
    1 + (perSecond * Math.max(tickMs, grantedMs)) / 1000,
    standing.tokens + (perSecond * grantedMs) / 1000,
  );
  const flightMs = standing.leastFlightMs ?? UNKNOWN_FLIGHT_MS;
  // With many messages a tick, their average counts: those of the end of the tick meet less of what was used before.
  const evenness = Math.min(1, (perSecond * tickMs) / 4000);
  const countedMs =
    LIMIT_WINDOW_MS - 0.8 * Math.min(5_000, flightMs) - evenness * (tickMs + 0.2 * Math.min(5_000, flightMs));
  const counts = usedWithin(Math.max(0, countedMs)) + cost * outstanding;
  const budget = Math.max(0, Math.round((Math.max(level, pace.limit / sharers) - counts) / cost));
  // No more under way than this pace needs, so that a complaint finds few messages on the queue.
  const underWay = Math.max(0, Math.ceil((perSecond * (flightMs + tickMs + 1000)) / 1000) + 2 - outstanding);
  return { messages: Math.min(Math.floor(tokens), budget, underWay), tokens, isProbe: false };
}

/** What decides how much of a tenant's pace an import may use. */
export interface Share {
  now: number;
  /** Requests that one mailbox costs. */
  cost: number;
  /** Rows that are not settled. */
  remaining: number;
}

/** The part of the pace that belongs to one of the imports that divide it: requests in ten seconds. */
export function shareOfPace(pace: TenantPace, share: Share): number {
  const { now, cost } = share;
  const step = isWorthTesting(pace, share) ? stepAt(pace, now, cost) : 0;
  return (levelAt(pace, step, cost) * (now < pace.easyUntil ? EASY_SHARE : 1)) / countSharers(pace, now);
}

/** Testing the limit costs a hold if it is where it was. An import that ends soon has no time to win that back. */
function isWorthTesting(pace: TenantPace, { now, cost, remaining }: Share): boolean {
  const perMs = levelAt(pace, 0, cost) / countSharers(pace, now) / cost / LIMIT_WINDOW_MS;
  return remaining / perMs >= Math.min(TESTED_MAX_MS, TESTED_QUIETS * pace.quietMs);
}
