import { newRefusalFlow, type RefusalFlow } from '../refusals/refusal-flow.ts';

/**
 * What a dispatcher knows about the flow of its import. Kept in the import's record, so that the next dispatcher goes on
 * where this one stopped. Times are milliseconds since the epoch.
 */
export interface Flow {
  /** How many messages may be under way. Grows with the answers, see `send-window.ts`. */
  window: number;
  /** Slow start: the window grows until messages begin to queue up or Microsoft complains. */
  isStarting: boolean;
  startedAt: number;
  /** The sums of all tallies and reports at the last look. */
  last: FlowSums;
  lastTickAt: number;
  /** Rows settled per second, measured over spans of a second or more of the last ten. */
  rates: { at: number; perSecond: number }[];
  /** Rows settled per second in the mean of the last half minute, and over which time it was measured. */
  meanRate?: { perSecond: number; overMs: number };
  /** Rows that will be settled per second, as far as can be told. Tells how much time an import has left. */
  expectedPerSecond?: number | undefined;
  /** Where the span that is being measured began. */
  mark: FlowSums & { at: number };
  /** The least mean time that messages were under way, in this minute and in the one before. */
  leastFlightMs?: number;
  nextLeastFlightMs?: number;
  leastFlightSince: number;
  /** The mean time under way in the newest span. */
  flightMs?: number;
  /** Requests of the last ten seconds as Microsoft counts them. `ms` is the time before `at` that they spread over. */
  recent: { at: number; ms: number; used: number; accepted: number }[];
  /** Requests that one mailbox costs, and the sums from which that is measured next. */
  cost: number;
  costMark: Pick<FlowSums, 'wholeChecks' | 'wholeRequests'>;
  /** Messages that the tenant's pace has granted and that were not sent yet. */
  tokens: number;
  /** While the tenant's pace is known: before then no further message shall be asked. */
  nextAskAt?: number;
  /** What was heard of the tenant's pace up to now. */
  heard: { generation: number; accepted: number; throttled: number; returned: number };
  unansweredInARow: number;
  /** Rows that were not settled at the last look. */
  remaining: number;
  /** When the tenant's pace last kept something back. */
  paceBoundAt: number;
  /** Since when a re-verification gives way to imports. Absent if it does not. */
  gaveWayAt?: number;
  refusals: RefusalFlow;
  /** The import would send more if its share of all messages were larger. */
  isPoolLimited: boolean;
  /** No row below this line waits. Those of a batch with pending rows are not counted. */
  waitingFrom: number;
  /** How many sent rows were cancelled one by one, at least. Absent if none is known. */
  cancelledSent?: number;
  /** Reports of dead processes whose rows were sent again. */
  buriedReports: string[];
  /** Lines that were sent again lately, and when. */
  resentLines: Record<string, number>;
}

/** The sums that a dispatcher compares from one look to the next. */
export interface FlowSums {
  settled: number;
  passed: number;
  failed: number;
  held: number;
  accepted: number;
  throttled: number;
  unanswered: number;
  wholeChecks: number;
  wholeRequests: number;
  flightMs: number;
  flights: number;
}

/** Messages that the first tick sends, and the most that are under way before anything has passed. */
export const FIRST_STEP = 8;
export const FIRST_WINDOW = 24;
/** Requests of a mailbox with both Graph probes. The first check shows what it really needs. */
const FIRST_COST = 5;

export function newFlow(now: number, sums: FlowSums, refusalsMax: number): Flow {
  return {
    window: FIRST_STEP,
    isStarting: true,
    startedAt: now,
    last: sums,
    lastTickAt: now,
    rates: [],
    mark: { ...sums, at: now },
    leastFlightSince: now,
    recent: [],
    cost: FIRST_COST,
    costMark: { wholeChecks: 0, wholeRequests: 0 },
    tokens: 0,
    heard: { generation: 0, accepted: 0, throttled: 0, returned: 0 },
    unansweredInARow: 0,
    remaining: Number.MAX_SAFE_INTEGER,
    paceBoundAt: now,
    refusals: newRefusalFlow(refusalsMax),
    isPoolLimited: false,
    waitingFrom: Number.MAX_SAFE_INTEGER,
    buriedReports: [],
    resentLines: {},
  };
}
