import type { WorkerReport } from '../ledger/worker-report.ts';
import { FIRST_STEP, FIRST_WINDOW, type Flow, type FlowSums } from './flow.ts';
import { deliveryRate } from './measure-flow.ts';

/** The smallest window: what one process checks at the same time. */
export const WINDOW_MIN = 24;
const WINDOW_MAX = 4096;
/** Up to this share of the import, each answer makes room for one more message: so many it can afford to have refused. */
const QUICK_GROWTH_SHARE = 1 / 8;
const QUICK_GROWTH_MIN = 24;
/** Beyond that, each answer makes room for this much more in the first ten seconds, and for half a message later. */
const EARLY_GROWTH = 0.15;
const EARLY_MS = 10_000;
const LATE_GROWTH = 0.5;
/** Rate times delay, with a margin. */
const FLIGHT_GAIN = 1.25;
const MARGIN = 8;
/** With this share of the places in use, places are what is short. */
const BUSY_SHARE = 0.66;
/** Messages for each process when places are short: what it holds, and a few that wait for it. */
const PER_PROCESS = 80;
const REPORT_FRESH_MS = 5_000;

interface WindowInput {
  now: number;
  tickMs: number;
  accepted: number;
  outstanding: number;
  /** What has changed since the last tick. */
  changes: FlowSums;
  passed: number;
  dispatched: number;
  reports: readonly WorkerReport[];
  /** Checks that one process runs at the same time. */
  checksMax: number;
}

/**
 * Brings the window up to date and resolves how many messages may be under way now.
 *
 * Slow start ends when messages begin to queue up or Microsoft complains. After it the window follows the delivery rate
 * and the time that messages need, as BBR does for packets.
 */
export function nextWindow(flow: Flow, input: WindowInput): number {
  grow(flow, input);
  const { now, tickMs, reports, checksMax } = input;
  const busy = reports.filter((report) => report.hand.length > 0 && now - report.writtenAt.getTime() < REPORT_FRESH_MS);
  const running = busy.reduce((sum, report) => sum + report.running, 0);
  const isShortOfPlaces = busy.length > 0 && running >= BUSY_SHARE * checksMax * busy.length;
  // The platform adds processes by the length of the queue, so busy processes always find a little that waits.
  const forProcesses = isShortOfPlaces ? PER_PROCESS * busy.length : 0;
  const { leastFlightMs } = flow;
  const needed =
    leastFlightMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max((deliveryRate(flow) * (FLIGHT_GAIN * leastFlightMs + 2 * tickMs)) / 1000 + MARGIN, forProcesses);
  if (!flow.isStarting) {
    const wanted = Math.max(flow.window, isShortOfPlaces ? flow.window + MARGIN : 0);
    flow.window = Math.min(wanted, Math.max(WINDOW_MIN, 1.5 * needed), WINDOW_MAX);
  }
  const window = flow.isStarting ? flow.window : Math.min(flow.window, Math.max(WINDOW_MIN, needed));
  return input.passed === 0 ? Math.min(window, FIRST_WINDOW) : window;
}

function grow(flow: Flow, { now, accepted, outstanding, changes, passed, dispatched }: WindowInput): void {
  const answers = changes.passed + changes.failed;
  if (answers > 0 && flow.window < WINDOW_MAX) {
    const room = Math.max(0, Math.max(QUICK_GROWTH_MIN, accepted * QUICK_GROWTH_SHARE) - flow.window);
    const quick = Math.min(answers, room);
    const factor = now - flow.startedAt < EARLY_MS ? EARLY_GROWTH : LATE_GROWTH;
    const isUsed = outstanding + changes.settled >= 0.5 * flow.window;
    if (flow.isStarting || isUsed) flow.window += quick + (answers - quick) * factor;
  }
  if (passed === 0 && flow.window < FIRST_WINDOW) {
    flow.window = Math.min(FIRST_WINDOW, flow.window + (dispatched > 0 ? FIRST_STEP : 0));
  }
}
