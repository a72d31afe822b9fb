import type { GenerationCounts } from '../ledger/worker-report.ts';
import { LIMIT_WINDOW_MS, levelAt, stepAt } from './pace-level.ts';
import { countSharers, QUIET_MS, type TenantPace } from './tenant-pace.ts';

/** What a dispatcher has heard from the workers of its import since it last looked. */
export interface Heard {
  importId: string;
  now: number;
  /** Rows settled since then. */
  settled: number;
  /** Requests answered and refused since then, whatever their generation. */
  throttled: number;
  /** The answers to messages of the pace's current generation. */
  ofGeneration: GenerationCounts;
  /** All answers to messages of the current generation. */
  sinceCut: Pick<GenerationCounts, 'accepted' | 'throttled'>;
  /** Requests answered in the last ten seconds. */
  acceptedLately: number;
  /** Checks without an answer since anything was answered. */
  unansweredInARow: number;
  /** Before this time Microsoft does not want to be asked. */
  retryAt: number;
  /** Requests that one mailbox costs. */
  cost: number;
}

/** What a change of the pace means for the import whose dispatcher made it. */
export type PaceEvent = 'cut' | 'down' | 'back' | 'probePassed';

export interface HeedResult {
  pace: TenantPace;
  event?: PaceEvent;
}

const HOLD_MS = 2_000;
const HOLD_MAX_MS = 60_000;
const QUIET_MAX_MS = 480_000;
/** A pace is kept for at least this many times as long as Microsoft made us wait. */
const QUIET_HOLDS = 5;
const UNANSWERED_MAX = 3;
const COMPLAINT_MIN = 3;
const COMPLAINT_SHARE = 0.02;
const RETURNED_MIN = 2;
const LIMIT_MIN = 5;
const NOISE_REQUESTS = 50;
const NOISE_SHARE_MIN = 0.12;
const NOISE_SHARE_MAX = 0.35;
const NOISE_COMPLAINT_MIN = 10;
/** For this long a tenant counts as one that refuses some requests at any pace. */
const NOISE_KEPT_MS = 600_000;
/** With fewer mailboxes than this accepted in ten seconds, no limit can be learnt. */
const BLOCKED_MAILBOXES = 2;
const BLOCKED_AGAIN_MS = 60_000;
/** A complaint this long after the last cut means that a known limit was touched, and a short pause is enough. */
const FAST_RECOVERY_AFTER_MS = 30_000;

/** Changes the pace by what Microsoft has said. `undefined` if that was nothing new. */
export function heedAnswers(pace: TenantPace, heard: Heard): HeedResult | undefined {
  const kept = keepRetryAt(pace, heard);
  const changed = changeByMode(kept ?? pace, heard);
  return changed ?? (kept && { pace: kept });
}

/** What Microsoft asks for is kept, whichever import was told. */
function keepRetryAt(pace: TenantPace, { retryAt }: Heard): TenantPace | undefined {
  return pace.mode !== 'free' && retryAt > pace.holdUntil ? { ...pace, holdUntil: retryAt } : undefined;
}

function changeByMode(pace: TenantPace, heard: Heard): HeedResult | undefined {
  if (pace.mode === 'down') return comeBack(pace, heard);
  if (heard.unansweredInARow >= UNANSWERED_MAX) return goDown(pace, heard);
  if (pace.mode === 'hold') return endHold(pace, heard);
  if (isNoise(pace, heard)) return askMore(pace, heard);
  return isComplaint(pace, heard) ? cut(pace, heard) : undefined;
}

/**
 * Some requests are refused however slowly the tenant is asked, and asking less does not help. Below a real limit hardly
 * any are refused, and above it most of them.
 */
function isNoise(pace: TenantPace, { now, sinceCut: { accepted, throttled } }: Heard): boolean {
  const all = accepted + throttled;
  if (pace.mode !== 'paced' || all < NOISE_REQUESTS || now - pace.cutAt < LIMIT_WINDOW_MS) return false;
  return throttled >= NOISE_SHARE_MIN * all && throttled < NOISE_SHARE_MAX * all;
}

function askMore(pace: TenantPace, { now }: Heard): HeedResult {
  const noisyUntil = now + NOISE_KEPT_MS;
  return { pace: { ...pace, mode: 'free', noisyUntil, generation: pace.generation + 1 }, event: 'back' };
}

/** Rows that were given back unasked complain as well: their process has closed its gate to the tenant. */
function isComplaint(pace: TenantPace, { now, ofGeneration: said, settled }: Heard): boolean {
  if (pace.noisyUntil > now) return said.throttled >= NOISE_COMPLAINT_MIN && said.throttled > said.accepted;
  return (
    (said.throttled >= COMPLAINT_MIN && said.throttled >= COMPLAINT_SHARE * said.accepted) ||
    said.returned >= Math.max(RETURNED_MIN, COMPLAINT_SHARE * settled)
  );
}

function goDown(pace: TenantPace, { now }: Heard): HeedResult {
  const { probe: _over, ...rest } = pace;
  return {
    pace: {
      ...rest,
      mode: 'down',
      returnsTo: pace.mode === 'free' ? 'free' : 'paced',
      probes: 0,
      nextProbeAt: now + 1_000,
      generation: pace.generation + 1,
    },
    event: 'down',
  };
}

function comeBack(pace: TenantPace, heard: Heard): HeedResult | undefined {
  const { now, cost, throttled, ofGeneration, retryAt } = heard;
  if (ofGeneration.accepted > 0) {
    return { pace: { ...pace, mode: pace.returnsTo, since: now, cutAt: now - 5_000 }, event: 'back' };
  }
  if (throttled === 0) return undefined;
  const limit = pace.limit || 10 * cost;
  return { pace: { ...pace, mode: 'hold', limit, holdUntil: Math.max(now + HOLD_MS, retryAt), cutAt: now } };
}

function endHold(pace: TenantPace, heard: Heard): HeedResult | undefined {
  const { now, importId, ofGeneration: said, acceptedLately, retryAt } = heard;
  if (pace.probe?.importId === importId) {
    const { probe: _answered, ...rest } = pace;
    if (said.throttled > said.accepted) {
      const failedProbes = pace.failedProbes + 1;
      const holdMs = Math.min(HOLD_MAX_MS, HOLD_MS * 2 ** failedProbes);
      const holdUntil = Math.max(now + holdMs, retryAt);
      return { pace: { ...rest, failedProbes, holdUntil, cutAt: now, generation: pace.generation + 1 } };
    }
    if (said.accepted > 0) {
      const { learning: _learnt, ...known } = rest;
      // Where Microsoft asks for long holds, the limit is tested less often.
      const quietMs = Math.min(QUIET_MAX_MS, Math.max(pace.quietMs, QUIET_HOLDS * (now - pace.cutAt)));
      const passed = { ...known, since: now, failedProbes: 0, quietMs };
      if (pace.returnsTo === 'free') return { pace: { ...passed, mode: 'free' }, event: 'back' };
      return { pace: { ...passed, mode: 'paced' }, event: 'probePassed' };
    }
  }
  // The first limit is what all imports of the tenant got through in ten seconds. What was under way still comes in.
  if (pace.learning && acceptedLately > (pace.learning[importId] ?? 0)) {
    const learning = { ...pace.learning, [importId]: acceptedLately };
    const limit = bounded(Object.values(learning).reduce((total, one) => total + one, 0));
    const returnsTo = limit < BLOCKED_MAILBOXES * heard.cost ? pace.returnsTo : 'paced';
    return { pace: { ...pace, learning, limit, returnsTo } };
  }
  return undefined;
}

/**
 * Lowers the pace after a complaint. If a known limit was touched, a pause of a second and going on below it is enough.
 * If the limit was not known, or is touched again soon, nothing is sent until a single message has come through.
 */
function cut(pace: TenantPace, heard: Heard): HeedResult {
  const { now, retryAt } = heard;
  const isGentle = pace.mode === 'paced' && now - pace.cutAt > FAST_RECOVERY_AFTER_MS;
  const { probe: _over, learning: _learnt, ...rest } = pace;
  const holdUntil = Math.max(now + (isGentle ? HOLD_MS / 2 : HOLD_MS), retryAt);
  const learnt = learnLimit(pace, heard);
  return {
    pace: {
      ...rest,
      ...learnt,
      mode: isGentle ? 'paced' : 'hold',
      returnsTo: isBlocked(pace, heard) ? 'free' : 'paced',
      ...(isGentle && { since: holdUntil }),
      ...(pace.mode === 'paced' && { easyUntil: now + LIMIT_WINDOW_MS + 3_000 }),
      holdUntil,
      // Where Microsoft asks for long holds, the limit is tested less often.
      quietMs: Math.min(QUIET_MAX_MS, Math.max(learnt.quietMs, QUIET_HOLDS * (holdUntil - now))),
      cutAt: now,
      generation: pace.generation + 1,
    },
    event: 'cut',
  };
}

/**
 * Hardly anything was accepted, so there is no limit to learn: Microsoft lets nothing through at the moment. If it is
 * so again soon after, this is the limit.
 */
function isBlocked(pace: TenantPace, { now, acceptedLately, cost }: Heard): boolean {
  const isNew = pace.mode === 'free' && now - pace.cutAt > BLOCKED_AGAIN_MS;
  return isNew && acceptedLately < BLOCKED_MAILBOXES * cost;
}

function learnLimit(pace: TenantPace, heard: Heard): Pick<TenantPace, 'limit' | 'quietMs' | 'learning'> {
  const { importId, now, acceptedLately, cost } = heard;
  if (pace.mode === 'free') {
    const limit = Math.max(LIMIT_MIN, acceptedLately);
    return { limit, quietMs: QUIET_MS, learning: { [importId]: acceptedLately } };
  }
  const { limit } = pace;
  const got = acceptedLately * countSharers(pace, now);
  // A mailbox is asked as a whole, so what was accepted at any moment is uncertain by one mailbox.
  const reached = got + cost;
  const step = stepAt(pace, now, cost);
  if (step < 1) {
    const lowered = Math.min(0.97 * limit, Math.max(0.7 * limit, reached));
    return { limit: bounded(lowered), quietMs: pace.quietMs };
  }
  const isWhereItWas = got <= 1.1 * limit;
  if (!isWhereItWas) return { limit: bounded(Math.min(levelAt(pace, step, cost), got)), quietMs: QUIET_MS };
  const kept = reached >= 0.75 * limit ? limit : Math.max(0.7 * limit, reached);
  return { limit: bounded(kept), quietMs: Math.min(QUIET_MAX_MS, pace.quietMs * 2) };
}

const bounded = (limit: number): number => Math.max(LIMIT_MIN, limit);
