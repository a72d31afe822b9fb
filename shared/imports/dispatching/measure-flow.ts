import type { TallyCounts } from '../ledger/tally.ts';
import { countSettled } from '../ledger/tally.ts';
import type { ReportSums } from '../ledger/worker-report.ts';
import { LIMIT_WINDOW_MS } from '../pacing/pace-level.ts';
import type { Flow, FlowSums } from './flow.ts';

const SPAN_MIN_MS = 1_000;
const SPAN_FLIGHTS_MIN = 4;
const RATE_KEPT_MS = 10_000;
const LEAST_FLIGHT_KEPT_MS = 60_000;
/** A queue has built up once messages are under way for this much longer than they need. */
const QUEUEING_FACTOR = 1.5;
const COST_CHECKS_MIN = 8;
const COST_MIN = 1;
const COST_MAX = 20;

export function flowSumsOf(counts: TallyCounts, reports: ReportSums): FlowSums {
  const { passed, failed, held } = counts;
  const { retryAt: _retryAt, passStartedAt: _passStartedAt, ...summed } = reports;
  return { settled: countSettled(counts), passed, failed, held, ...summed };
}

/** What has changed since the last look. A process that restarts its counting never makes a difference negative. */
export function changesSince(last: FlowSums, sums: FlowSums): FlowSums {
  return {
    settled: Math.max(0, sums.settled - last.settled),
    passed: Math.max(0, sums.passed - last.passed),
    failed: Math.max(0, sums.failed - last.failed),
    held: sums.held - last.held,
    accepted: Math.max(0, sums.accepted - last.accepted),
    throttled: Math.max(0, sums.throttled - last.throttled),
    unanswered: Math.max(0, sums.unanswered - last.unanswered),
    wholeChecks: Math.max(0, sums.wholeChecks - last.wholeChecks),
    wholeRequests: Math.max(0, sums.wholeRequests - last.wholeRequests),
    flightMs: Math.max(0, sums.flightMs - last.flightMs),
    flights: Math.max(0, sums.flights - last.flights),
  };
}

/** Brings the measurements in `flow` up to date: delivery rate, time under way, cost of a mailbox, recent requests. */
export function measureFlow(flow: Flow, sums: FlowSums, now: number, tickMs: number): FlowSums {
  const changes = changesSince(flow.last, sums);
  const sinceLastTickMs = Math.max(1, now - flow.lastTickAt);
  measureRate(flow, sums, now, tickMs);
  measureCost(flow, sums);
  const used = changes.accepted + changes.throttled;
  if (used > 0) flow.recent.push({ at: now, ms: sinceLastTickMs, used, accepted: changes.accepted });
  flow.recent = flow.recent.filter(({ at }) => now - at <= LIMIT_WINDOW_MS);
  flow.unansweredInARow = changes.accepted > 0 ? 0 : flow.unansweredInARow + changes.unanswered;
  flow.last = sums;
  return changes;
}

function measureRate(flow: Flow, sums: FlowSums, now: number, tickMs: number): void {
  const { mark } = flow;
  const span = changesSince(mark, sums);
  if (now - mark.at >= SPAN_MIN_MS && span.flights >= SPAN_FLIGHTS_MIN) {
    const flightMs = span.flightMs / span.flights;
    if (now - flow.leastFlightSince > LEAST_FLIGHT_KEPT_MS) {
      if (flow.nextLeastFlightMs !== undefined) flow.leastFlightMs = flow.nextLeastFlightMs;
      delete flow.nextLeastFlightMs;
      flow.leastFlightSince = now;
    }
    flow.flightMs = flightMs;
    flow.leastFlightMs = Math.min(flow.leastFlightMs ?? flightMs, flightMs);
    flow.nextLeastFlightMs = Math.min(flow.nextLeastFlightMs ?? flightMs, flightMs);
    flow.rates.push({ at: now, perSecond: (span.settled / (now - mark.at)) * 1000 });
    if (flightMs > QUEUEING_FACTOR * flow.leastFlightMs + 2 * tickMs) flow.isStarting = false;
    flow.mark = { ...sums, at: now };
  }
  flow.rates = flow.rates.filter(({ at }, i) => now - at <= RATE_KEPT_MS || i === flow.rates.length - 1);
}

function measureCost(flow: Flow, { wholeChecks, wholeRequests }: FlowSums): void {
  const checks = wholeChecks - flow.costMark.wholeChecks;
  // One check that was answered tells more than a guess.
  if (checks < (flow.costMark.wholeChecks === 0 ? 1 : COST_CHECKS_MIN)) return;
  const cost = (wholeRequests - flow.costMark.wholeRequests) / checks;
  flow.cost = Math.min(COST_MAX, Math.max(COST_MIN, cost));
  flow.costMark = { wholeChecks, wholeRequests };
}

/** The delivery rate: rows per second in the best span of the last ten seconds. */
export function deliveryRate({ rates }: Flow): number {
  return rates.reduce((most, { perSecond }) => Math.max(most, perSecond), 0);
}

/** Requests of the last so many milliseconds. The counts of one tick are taken to spread evenly over it. */
export function countRecent({ recent }: Flow, now: number, ms: number, what: 'used' | 'accepted'): number {
  return recent.reduce((sum, one) => {
    const share = Math.min(1, Math.max(0, (one.at - (now - ms)) / one.ms));
    return sum + one[what] * share;
  }, 0);
}
