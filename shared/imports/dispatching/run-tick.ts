import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentBatch } from '../import.ts';
import { type ImportWait, isSameWait, isWaitCause } from '../import-wait.ts';
import type { Row } from '../ledger/row.ts';
import { countSettled, newestReports, sumTallies } from '../ledger/tally.ts';
import { sumReports } from '../ledger/worker-report.ts';
import { type Ruling, ruleOnRefusals } from '../refusals/rule-on-refusals.ts';
import { addFresh, addReturned, endOfSent } from '../sent-batches.ts';
import { nextAskAt } from './ask-times.ts';
import { type CanaryChange, releaseDue } from './canary.ts';
import { countCancelledSent } from './cancelled-rows.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { expectRate, measureMeanRate } from './expect-rate.ts';
import { findLostMessages } from './find-lost-messages.ts';
import type { Flow } from './flow.ts';
import { giveBackSlots } from './give-back-slots.ts';
import { giveWay, LOOK_AGAIN_MS, noteSleep } from './give-way.ts';
import { claimProbe, keepPace, paceRoom } from './keep-pace.ts';
import { changesSince, deliveryRate, flowSumsOf, measureFlow } from './measure-flow.ts';
import { waitOfPace } from './note-wait.ts';
import { rearmRows } from './rearm-rows.ts';
import { type CheckToSend, sendChecks } from './send-checks.ts';
import { nextWindow } from './send-window.ts';
import type { Shift, ShiftEnd, TickView } from './shift.ts';
import { narrowWaitingLines, waitingLines } from './waiting-lines.ts';

const TICK_MIN_MS = 250;
const TICK_MAX_MS = 1_000;
/** An import that has no share looks whether it has one. */
const TICK_WITHOUT_SHARE_MS = 2_000;
/** A tick costs some storage requests. At this many rows a tick they come to a few hundredths a row. */
const ROWS_PER_TICK = 120;
const QUICK_START_MS = 8_000;
/** Due rows of one tick: two transactions. */
const DUE_MAX = 98;
/** A dispatcher with nothing to do for this long leaves a delayed message instead of waiting. */
const SLEEP_MIN_MS = 3_000;
/** After a gap this long in its own looks, a dispatcher cannot tell which workers are silent. */
const GAP_MS = 4_000;
const WATCH_MIN_MS = 8_000;

/** The rows that a tick sends, and what the import's record notes about them before they are sent. */
interface Sending {
  due: Tagged<Row>[];
  fresh: Tagged<Row>[];
  scouts: Tagged<Row>[];
  lost: Tagged<Row>[];
  isProbe: boolean;
  note: Pick<Import, 'cursor' | 'batches'>;
  canary: CanaryChange | undefined;
}

/**
 * One look at an import, and what follows from it: reads the tallies, decides how much may be sent, notes it in the
 * import's record with one conditional write, and sends it spread over the time until the next tick.
 *
 * Resolves to how the shift ends, or to `undefined` if it goes on.
 */
export async function runTick(deps: DispatchDeps, shift: Shift): Promise<ShiftEnd | undefined> {
  const { flow, lease } = shift;
  const view = await look(deps, shift);
  if (!view) return { kind: 'settled' };
  await giveBackSlots(deps, shift, view);
  const givesWay = await giveWay(shift, view);
  await keepPace(shift, view, givesWay);
  measureMeanRate(flow, view.changes.settled, view.sinceLastTickMs);
  flow.expectedPerSecond = expectRate(flow, shift.pace.value, view.now);

  if (view.counts.waiting > 0) await narrowWaitingLines(deps, shift, view.now);

  const isSent = lease.record.dispatched >= shift.plan.accepted;
  flow.refusals.streak = Math.max(0, flow.refusals.streak + view.changes.held - view.changes.passed);
  const ruling: Ruling = givesWay ? { kind: 'goOn' } : await ruleOn(deps, shift, view, isSent);
  if (ruling.kind === 'paused') return { kind: 'lost' };
  if (ruling.kind === 'goOn' && ruling.quietUntil) shift.quietUntil = ruling.quietUntil;

  const window = nextWindow(flow, {
    ...view,
    accepted: shift.plan.accepted,
    passed: view.counts.passed,
    dispatched: lease.record.dispatched,
    checksMax: deps.dispatching.checksMax,
  });
  const wants = !isSent && shift.pace.value.mode === 'free' && ruling.kind === 'goOn' && !givesWay;
  const share = await shareOfPool(deps, shift, view, window, wants);
  const room = Math.max(0, Math.floor(Math.min(window, share) - view.outstanding - flow.refusals.streak));
  const paced = await claimRoom(shift, view, ruling.kind === 'goOn' && !givesWay ? room : 0);
  const sending =
    ruling.kind === 'goOn'
      ? await chooseRows(deps, shift, view, paced)
      : noRows(lease.record, ruling.kind === 'scout' ? ruling.rows : []);
  await addLost(deps, shift, view, sending);

  const isBehind = givesWay && flow.gaveWayAt !== undefined;
  const wait: ImportWait | undefined = isBehind ? { cause: 'imports_first' } : waitOfPace(shift, view);
  if (!(await note(deps, shift, sending, wait))) {
    // Scouts that were not sent cannot answer.
    if (ruling.kind === 'scout') delete flow.refusals.scouts;
    return { kind: 'lost' };
  }
  const endsAt = view.now + (share === 0 ? TICK_WITHOUT_SHARE_MS : view.tickMs);
  const sent = await send(deps, shift, sending, endsAt);
  flow.tokens = Math.max(0, flow.tokens - sent);
  if (sent === 0 && view.outstanding <= 0 && ruling.kind === 'goOn') {
    if (isBehind) return sleepBehindImports(view.now);
    const next = await nextAction(shift, view, isSent);
    if (next.at - view.now >= SLEEP_MIN_MS) {
      await noteSleep(shift, view.now, next.at);
      return { kind: 'asleep', until: new Date(next.at), ...(next.wait && { wait: next.wait }) };
    }
  }
  const leftMs = endsAt - deps.clock.now().getTime();
  if (leftMs > 0) await deps.sleep(leftMs);
  return undefined;
}

function sleepBehindImports(now: number): ShiftEnd {
  const until = new Date(now + LOOK_AGAIN_MS);
  return { kind: 'asleep', until, wait: { cause: 'imports_first', until } };
}

async function ruleOn(deps: DispatchDeps, shift: Shift, view: TickView, isSent: boolean): Promise<Ruling> {
  const { flow, lease } = shift;
  const { counts, outstanding, reports } = view;
  if (counts.held <= 0 && !flow.refusals.scouts) {
    flow.refusals.epoch = lease.record.epoch;
    return { kind: 'goOn' };
  }
  const isLast = isSent && outstanding <= 0 && counts.waiting <= counts.held;
  const { passStartedAt } = sumReports(reports);
  const ruled = {
    counts,
    outstanding,
    window: flow.window,
    passStartedAt,
    isLast,
    lastLine: shift.plan.line,
    waiting: waitingLines(lease.record, flow),
  };
  // A mailbox may be asked, which can take longer than the lease.
  return lease.during(() => ruleOnRefusals(deps, lease.record, flow.refusals, ruled));
}

/** Reads the tallies and the tenant's pace. `undefined` if every row is settled. */
async function look(deps: DispatchDeps, shift: Shift): Promise<TickView | undefined> {
  const { lease, plan, flow, pace } = shift;
  const { connectionId, id } = lease.record;
  const [tallies] = await Promise.all([deps.ledger.listTallies(connectionId, id), pace.read()]);
  const counts = sumTallies(tallies);
  const reports = newestReports(tallies);
  const sums = flowSumsOf(counts, sumReports(reports));
  shift.answers.add(changesSince(flow.last, sums));
  if (countSettled(counts) >= plan.accepted) return undefined;
  const now = deps.clock.now().getTime();
  const tickMs = tickLength(flow, now, pace.value.mode === 'hold' && now >= pace.value.holdUntil - 300);
  const sinceLastTickMs = Math.max(1, now - flow.lastTickAt);
  const changes = measureFlow(flow, sums, now, tickMs);
  flow.remaining = plan.accepted - countSettled(counts);
  if (shift.lastLookAt !== undefined && now - shift.lastLookAt > GAP_MS) shift.watchingSince = now;
  shift.lastLookAt = now;
  flow.lastTickAt = now;
  // Rows that were cancelled before they were sent are settled, and not dispatched.
  const answered = countSettled(counts) - counts.cancelled + (await countCancelledSent(deps, shift, counts.cancelled));
  const outstanding = Math.max(0, lease.record.dispatched - answered - counts.waiting);
  return { now, tickMs, sinceLastTickMs, counts, reports, changes, outstanding };
}

function tickLength(flow: Flow, now: number, isHoldEnding: boolean): number {
  if ((flow.isStarting && now - flow.startedAt < QUICK_START_MS) || isHoldEnding) return TICK_MIN_MS;
  const wanted = (ROWS_PER_TICK / Math.max(1, deliveryRate(flow))) * 1000;
  return Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, wanted));
}

async function shareOfPool(
  deps: DispatchDeps,
  { lease, flow }: Shift,
  { outstanding }: TickView,
  window: number,
  wants: boolean,
): Promise<number> {
  const { id: importId, customerId, isReverification: givesWay = false } = lease.record;
  const claim = {
    importId,
    customerId,
    outstanding,
    flightMs: flow.flightMs ?? 0,
    isLimited: flow.isPoolLimited,
    givesWay,
  };
  const share = await deps.messagePool.shareOf(claim, wants);
  flow.isPoolLimited = wants && window > share;
  return share;
}

async function claimRoom(shift: Shift, view: TickView, room: number): Promise<{ room: number; isProbe: boolean }> {
  const paced = paceRoom(shift, view, room);
  if (!paced.isProbe || (room > 0 && (await claimProbe(shift, view.now)))) return paced;
  return { room: 0, isProbe: false };
}

async function chooseRows(
  deps: DispatchDeps,
  shift: Shift,
  { now, counts }: TickView,
  { room, isProbe }: { room: number; isProbe: boolean },
): Promise<Sending> {
  const { lease } = shift;
  const sending = noRows(lease.record, []);
  sending.isProbe = isProbe;
  const { probes, failedProbes } = shift.pace.value;
  // Every other probe asks a fresh mailbox: those that wait may be silent for reasons of their own.
  const isFreshProbe = isProbe && (probes + failedProbes) % 2 === 0 && lease.record.dispatched < shift.plan.accepted;
  if (room > 0 && counts.waiting > counts.held && !isFreshProbe) {
    const release = async (due: readonly Tagged<Row>[]) => {
      const released = await releaseDue(deps, lease.record, due);
      sending.canary = released.change;
      return released.rows;
    };
    sending.due = await shift.due.take(Math.min(room, DUE_MAX), now, release, isProbe);
  }
  const left = room - sending.due.length;
  const { cursor, dispatched } = lease.record;
  if (left <= 0 || dispatched >= shift.plan.accepted) return sending;
  const fresh = await shift.fresh.take(cursor, left, lease.record.scoutedLines ?? []);
  sending.fresh = fresh.rows;
  sending.note.cursor = fresh.cursor;
  return sending;
}

function noRows({ cursor, batches }: Import, scouts: Tagged<Row>[]): Sending {
  const note = { cursor, batches };
  return { due: [], fresh: [], scouts, lost: [], isProbe: false, note, canary: undefined };
}

async function addLost(deps: DispatchDeps, shift: Shift, view: TickView, sending: Sending): Promise<void> {
  const { lease, flow } = shift;
  const { connectionId, id: importId, cursor } = lease.record;
  const { reports, outstanding, now } = view;
  const batches = batchesOf(lease.record, outstanding, now);
  const canTellSilence = now - shift.watchingSince > WATCH_MIN_MS;
  const { buriedReports, resentLines } = flow;
  const { scoutedLines = [] } = lease.record;
  const search = { connectionId, importId, cursor, batches, reports, outstanding, canTellSilence };
  const found = await findLostMessages(deps, { ...search, buriedReports, resentLines, scoutedLines }, now);
  sending.lost = found.rows;
  sending.note.batches = found.batches;
  flow.waitingFrom = Math.min(flow.waitingFrom, found.waitingFrom);
}

/**
 * The batches to look after. A row can become pending after its batch was looked at: a transaction whose answer was lost
 * may be committed late. Then rows are under way and no batch has them, and all lines sent so far become one.
 */
function batchesOf(record: Import, outstanding: number, now: number): readonly SentBatch[] {
  const { batches } = record;
  if (batches.length > 0 || outstanding <= 0) return batches;
  return [{ from: 0, to: endOfSent(record), sentAt: new Date(now), isReturned: true }];
}

/** Notes what is about to be sent. Whatever fails from here on, these rows belong to a batch that is looked after. */
async function note(
  deps: DispatchDeps,
  { lease, flow }: Shift,
  sending: Sending,
  wait: ImportWait | undefined,
): Promise<boolean> {
  const { due, fresh, scouts, lost } = sending;
  const { record } = lease;
  const now = deps.clock.now();
  const returned = [...due, ...scouts, ...lost].map(({ value }) => value.line);
  const scouted = [...(record.scoutedLines ?? []), ...scouts.map(({ value }) => value.line)];
  const next = {
    ...sending.note,
    dispatched: record.dispatched + fresh.length + scouts.length,
    scoutedLines: scouted.filter((line) => line >= sending.note.cursor),
  };
  if (next.cursor > record.cursor) next.batches = addFresh(next.batches, record.cursor, next.cursor, now);
  next.batches = addReturned(next.batches, returned, now);
  const isSame = next.cursor === record.cursor && next.batches === record.batches && !sending.canary;
  if (isSame && returned.length === 0 && isSameWait(record.waitingFor, wait)) return lease.keep();
  return lease.write(({ canary, canarySettledAt, waitingFor: _before, ...current }) => ({
    ...current,
    ...(wait && { waitingFor: wait }),
    ...(sending.canary ?? { ...(canary !== undefined && { canary }), ...(canarySettledAt && { canarySettledAt }) }),
    ...next,
    flow,
  }));
}

async function send(
  deps: DispatchDeps,
  { lease, pace, flow, quietUntil }: Shift,
  { due, fresh, scouts, lost, isProbe }: Sending,
  endsAt: number,
): Promise<number> {
  const rearmed = due.length > 0 ? await rearmRows(deps, lease.record, due) : [];
  const pending = fresh.filter(({ value }) => value.state === 'pending');
  const checks: CheckToSend[] = [
    // A scout has to be asked now, and everything waits for its answer.
    ...scouts.map((row) => ({ ...row, isProbe: true as const })),
    ...[...rearmed, ...pending].map((row) => (isProbe ? { ...row, isProbe: true as const } : row)),
    ...lost.map((row) => ({ ...row, isResent: true as const })),
  ];
  const { generation, noisyUntil } = pace.value;
  const now = deps.clock.now();
  const expectsRefusals = noisyUntil > now.getTime();
  const quiet = quietUntil && quietUntil > now && { quietUntil };
  // In slow start the queue is short. What is sent together is received together, in fewer requests.
  const spreadUntil = flow.isStarting ? 0 : endsAt;
  const askTimes = { nextAskAt: (sentAt: number) => nextAskAt(flow, pace.value, sentAt) };
  const circumstances = { record: lease.record, generation, expectsRefusals, ...quiet, ...askTimes };
  if (checks.length > 0) await sendChecks(deps, circumstances, checks, spreadUntil);
  return checks.length;
}

/** When there can be something to do again, if nothing is under way now, and what is waited for until then. */
async function nextAction(
  shift: Shift,
  view: TickView,
  isSent: boolean,
): Promise<{ at: number; wait?: ImportWait | undefined }> {
  const { pace, flow, due } = shift;
  const { now, counts } = view;
  const { mode, holdUntil, nextProbeAt } = pace.value;
  if (mode === 'down') return { at: nextProbeAt, wait: waitOfPace(shift, view) };
  if (mode !== 'free' && holdUntil > now) return { at: holdUntil, wait: waitOfPace(shift, view) };
  if (!isSent || mode !== 'free' || counts.waiting <= counts.held) return { at: now };
  if (!shift.nextDue || shift.nextDue.dueAt <= now) {
    shift.nextDue = await due.next();
    if (!shift.nextDue) return { at: now };
    flow.waitingFrom = shift.nextDue.fromLine;
  }
  const { dueAt, cause } = shift.nextDue;
  return { at: dueAt, wait: isWaitCause(cause) ? { cause, until: new Date(dueAt) } : undefined };
}
