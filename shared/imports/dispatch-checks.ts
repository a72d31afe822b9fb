import pLimit from 'p-limit';
import type { Clock } from '../kernel/clock.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Slots } from '../plans/slots.ts';
import { finishImport, type ImportEvents } from './finish-import.ts';
import { type Import, isEnded, type SentPage } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';
import type { Lanes } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import { rearmRows } from './rearm-rows.ts';
import type { Row } from './row.ts';
import { mergePages, newPage, type OverdueTimes, resentPage } from './sent-pages.ts';
import { settleAsCancelled } from './settle-as-cancelled.ts';
import { settledOf, sumTallies, type TallyCounts } from './tally.ts';
import type { TallyBook } from './tally-book.ts';

export interface DispatchNeeds {
  imports: ImportStore;
  ledger: Ledger;
  lanes: Lanes;
  tallies: TallyBook;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'trim'>;
  importEvents: ImportEvents;
  clock: Clock;
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<void>;
  dispatching: DispatchSettings;
}

export interface DispatchSettings {
  /** Names this process in leases. */
  holder: string;
  windowTotal: number;
  windowMin: number;
  windowMax: number;
  pollMs: number;
  /** How long one message keeps its dispatcher at work before it hands over to the next. */
  shiftMs: number;
  leaseMs: number;
  overdue: OverdueTimes;
}

const ACCEPTED = ['pending', 'waiting', 'passed', 'failed', 'inconclusive', 'cancelled'] as const;
const SENDS_AT_ONCE = 32;
/** A page whose rows may wait behind older messages is left alone for this long at most. */
const SLOW_QUEUE_MOST_MS = 600_000;

/**
 * Keeps a window of one import's checks on the queue until every row has been sent and settled, and then ends it.
 *
 * One dispatcher at a time holds the lease in the import's record; another returns at once. Sending comes before the
 * cursor moves: whoever takes over from a dead one sends those lines again, marked `again`. After its shift it hands
 * over by a message; while every open row waits for a later instant it leaves a delayed one as an alarm clock.
 */
export async function dispatchChecks(needs: DispatchNeeds, customerId: string, importId: string): Promise<void> {
  const shiftEnds = needs.clock.now().getTime() + needs.dispatching.shiftMs;
  let turn: Turn | undefined;
  for (;;) {
    const found = await needs.imports.get(customerId, importId);
    if (!found || isEnded(found.value.status)) {
      if (found?.value.eventPending) await finishImport(needs, found.value);
      return;
    }
    if (found.value.status === 'cancelling') {
      await settleAsCancelled(needs, found.value);
      await finishImport(needs, found.value);
      return;
    }
    if (found.value.status !== 'running') {
      // Paused, but its last checks may have come in since.
      if (found.value.status === 'paused') await finishImport(needs, found.value);
      return;
    }
    const { lease } = found.value;
    if (lease && lease.until > needs.clock.now() && lease.holder !== turn?.holder) return;

    turn = await takeTurn(needs, found, turn);
    if (!turn) continue;
    const step = await dispatchStep(needs, turn);
    if (step.kind === 'settled') {
      if (await finishImport(needs, turn.record)) return;
      turn = undefined;
      continue;
    }
    if (step.kind === 'lost') {
      turn = undefined;
      continue;
    }
    if (step.kind === 'asleep') return sleepUntil(needs, turn, step.until);
    if (needs.clock.now().getTime() >= shiftEnds) return handOver(needs, turn);
    // Half a window gone means that the workers are fast: look again sooner, so that they never run dry.
    await needs.pause(
      step.outstanding < step.window / 2 && step.more ? needs.dispatching.pollMs / 4 : needs.dispatching.pollMs,
    );
  }
}

/** What the holder of the lease knows. */
interface Turn {
  holder: string;
  record: Import;
  tag: string;
  window: number;
  /** Lines below this may have been sent by a dispatcher that died before it could say so. */
  sentUpTo: number;
}

let turns = 0;

async function takeTurn(
  needs: DispatchNeeds,
  found: Tagged<Import>,
  turn: Turn | undefined,
): Promise<Turn | undefined> {
  const now = needs.clock.now().getTime();
  const { lease } = found.value;
  const isMine = turn !== undefined && lease?.holder === turn.holder;
  if (isMine && turn && lease.until.getTime() - now > needs.dispatching.leaseMs / 2) {
    return { ...turn, record: found.value, tag: found.tag };
  }
  const holder = isMine && turn ? turn.holder : `${needs.dispatching.holder}.${++turns}`;
  const sentUpTo = isMine && turn ? turn.sentUpTo : (lease?.to ?? 0);
  const record: Import = {
    ...found.value,
    lease: { holder, until: new Date(now + needs.dispatching.leaseMs), to: Math.max(found.value.cursor, sentUpTo) },
  };
  const tag = await needs.imports.update(record, found.tag);
  if (tag === undefined) return undefined;
  return { holder, record, tag, sentUpTo, window: turn?.window ?? (await windowOf(needs)) };
}

/** An equal share of what all imports together may have waiting, so that a large one cannot keep a small one out. */
async function windowOf(needs: DispatchNeeds): Promise<number> {
  const { windowTotal, windowMin, windowMax } = needs.dispatching;
  const running = Math.max(1, (await needs.imports.listOpen()).length);
  return Math.min(windowMax, Math.max(windowMin, Math.floor(windowTotal / running)));
}

type Step =
  | { kind: 'settled' }
  /** Someone else has changed the import: a pause, a cancel, or another dispatcher after our lease ran out. */
  | { kind: 'lost' }
  | { kind: 'asleep'; until: Date }
  | { kind: 'working'; outstanding: number; window: number; more: boolean };

async function dispatchStep(needs: DispatchNeeds, turn: Turn): Promise<Step> {
  const { record } = turn;
  const now = needs.clock.now();
  const [plan, tallies] = await Promise.all([
    needs.ledger.getPlan(record.connectionId, record.id),
    needs.ledger.listTallies(record.connectionId, record.id),
  ]);
  const counts = sumTallies(tallies);
  if (plan && settledOf(counts) >= plan.value.accepted) return { kind: 'settled' };
  const outstanding = record.dispatched - settledOf(counts) - counts.waiting;
  const room = Math.max(0, turn.window - outstanding);

  const fresh = await freshRows(needs, record, plan?.value.accepted ?? 0, room);
  const due = await dueRows(needs, record, counts, room - fresh.length);
  const overdue = await overduePages(needs, record, outstanding, now);
  if (fresh.length + due.length + overdue.length === 0) return idle(needs, record, counts, outstanding, turn.window);

  const cursor = (fresh.at(-1)?.value.line ?? record.cursor - 1) + 1;
  const announced = await announce(needs, turn, cursor);
  if (!announced) return { kind: 'lost' };
  const pages: SentPage[] = record.pages.filter((page) => !overdue.includes(page));
  // Pages first: whatever goes wrong from here on, the rows of this step belong to a page that becomes overdue.
  if (fresh[0]) pages.push(newPage(fresh[0].value.line, cursor, now, needs.dispatching.overdue));
  if (due.length > 0) {
    const armed = await rearmRows(needs, record, due);
    await send(needs, record, armed, () => true);
    const lines = due.map((row) => row.value.line);
    pages.push(newPage(Math.min(...lines), Math.max(...lines) + 1, now, needs.dispatching.overdue));
  }
  for (const page of overdue) {
    const rows = await unsettledRows(needs, record, page);
    if (rows.length === 0) continue;
    await send(needs, record, rows.filter(isPending), () => true);
    pages.push(resentPage(page, now, needs.dispatching.overdue));
  }
  await send(needs, record, fresh.filter(isPending), (row) => row.line < turn.sentUpTo);

  const next: Import = {
    ...announced.record,
    cursor,
    dispatched: record.dispatched + fresh.length,
    pages: mergePages(pages),
  };
  const tag = await needs.imports.update(next, announced.tag);
  if (tag === undefined) return { kind: 'lost' };
  return {
    kind: 'working',
    outstanding: outstanding + fresh.length + due.length,
    window: turn.window,
    more: fresh.length > 0,
  };
}

/** Says in the lease how far this step may send, before it sends. */
async function announce(
  needs: DispatchNeeds,
  turn: Turn,
  to: number,
): Promise<{ record: Import; tag: string } | undefined> {
  const until = new Date(needs.clock.now().getTime() + needs.dispatching.leaseMs);
  const lease = { holder: turn.holder, until, to: Math.max(to, turn.sentUpTo) };
  const record: Import = { ...turn.record, lease };
  const tag = await needs.imports.update(record, turn.tag);
  return tag === undefined ? undefined : { record, tag };
}

async function freshRows(needs: DispatchNeeds, record: Import, accepted: number, room: number): Promise<Tagged<Row>[]> {
  if (room < 1 || record.dispatched >= accepted) return [];
  return needs.ledger.findRows(record.connectionId, record.id, {
    fromLine: record.cursor,
    states: ACCEPTED,
    limit: room,
  });
}

async function dueRows(
  needs: DispatchNeeds,
  record: Import,
  counts: TallyCounts,
  room: number,
): Promise<Tagged<Row>[]> {
  if (counts.waiting <= 0) return [];
  return needs.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    dueBy: needs.clock.now(),
    limit: Math.max(1, room),
  });
}

/** Pages whose rows ought to be settled by now, unless their messages are merely waiting behind older ones. */
async function overduePages(needs: DispatchNeeds, record: Import, outstanding: number, now: Date): Promise<SentPage[]> {
  const late = record.pages.filter((page) => page.dueAt <= now);
  if (late.length === 0 || outstanding <= 0) return late;
  const oldest = await needs.importQueues.oldestCheck();
  if (!oldest) return late;
  return late.filter(
    (page) =>
      page.sentAt < oldest || page.sentAt.getTime() === 0 || now.getTime() - page.sentAt.getTime() > SLOW_QUEUE_MOST_MS,
  );
}

async function unsettledRows(needs: DispatchNeeds, record: Import, page: SentPage): Promise<Tagged<Row>[]> {
  const rows: Tagged<Row>[] = [];
  for (let fromLine = page.from; ; ) {
    const found = await needs.ledger.findRows(record.connectionId, record.id, {
      fromLine,
      toLine: page.to,
      states: ['pending', 'waiting'],
      limit: 500,
    });
    rows.push(...found);
    const last = found.at(-1);
    if (found.length < 500 || !last) return rows;
    fromLine = last.value.line + 1;
  }
}

const isPending = (row: Tagged<Row>): boolean => row.value.state === 'pending';

async function send(
  needs: DispatchNeeds,
  record: Import,
  rows: readonly Tagged<Row>[],
  isAgain: (row: Row) => boolean,
): Promise<void> {
  const limit = pLimit(SENDS_AT_ONCE);
  await Promise.all(
    rows.map(({ value: row, tag }) =>
      limit(() =>
        needs.importQueues.sendCheck({
          v: 1,
          customerId: record.customerId,
          connectionId: record.connectionId,
          importId: record.id,
          line: row.line,
          address: row.address,
          rowTag: tag,
          attempt: row.attempt,
          epoch: record.epoch,
          tries: 0,
          ...(isAgain(row) && { again: true as const }),
          ...(row.since && { since: row.since.toISOString() }),
          ...(row.shown && { shown: row.shown }),
        }),
      ),
    ),
  );
}

/** Nothing to send: either checks are under way, or every open row waits for an instant that is still to come. */
async function idle(
  needs: DispatchNeeds,
  record: Import,
  counts: TallyCounts,
  outstanding: number,
  window: number,
): Promise<Step> {
  if (outstanding > 0 || counts.waiting <= 0) return { kind: 'working', outstanding, window, more: false };
  const waiting = await needs.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    limit: 500,
  });
  const instants = waiting.flatMap((row) => row.value.nextCheckAt ?? []).sort((a, b) => a.getTime() - b.getTime());
  return instants[0] ? { kind: 'asleep', until: instants[0] } : { kind: 'working', outstanding, window, more: false };
}

async function handOver(needs: DispatchNeeds, turn: Turn): Promise<void> {
  await release(needs, turn, {});
  await needs.importQueues.sendDispatch({ v: 1, customerId: turn.record.customerId, importId: turn.record.id });
}

/** Leaves an alarm clock, unless one is set for that time or earlier. The sweep looks in too, should it be lost. */
async function sleepUntil(needs: DispatchNeeds, turn: Turn, until: Date): Promise<void> {
  const now = needs.clock.now();
  const set = turn.record.hintAt;
  const isSet = set !== undefined && set > now && set <= until;
  await release(needs, turn, isSet ? {} : { hintAt: until });
  if (isSet) return;
  const { customerId, id: importId } = turn.record;
  await needs.importQueues.sendDispatch({ v: 1, customerId, importId }, Math.max(0, until.getTime() - now.getTime()));
}

/** Gives the lease back, if it is still ours: what was sent is in the cursor, so nobody needs to send it again. */
async function release(needs: DispatchNeeds, turn: Turn, change: Partial<Import>): Promise<void> {
  const found = await needs.imports.get(turn.record.customerId, turn.record.id);
  if (found?.value.lease?.holder !== turn.holder) return;
  const { lease: _mine, ...rest } = found.value;
  await needs.imports.update({ ...rest, ...change }, found.tag);
}
