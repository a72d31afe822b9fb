import { canBePropagation } from '../../causes/denial.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import { type Connection, hasOwnApp } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { holdChecks } from '../../connections/grants/hold-checks.ts';
import type { PropagationSteps } from '../../connections/grants/propagation.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import { pauseForConnection } from '../control/pause-import.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { ChangeRowsDeps } from '../ledger/change-rows.ts';
import { acceptedStates, type Row } from '../ledger/row.ts';
import type { TallyCounts } from '../ledger/tally.ts';
import { releaseHeld, settleHeld } from './held-rows.ts';
import { recheckPassedMailbox } from './recheck-passed-mailbox.ts';
import type { RefusalFlow } from './refusal-flow.ts';
import { repeatedRefusalFinding } from './repeated-refusal-finding.ts';
import { type Suspect, suspectIn } from './suspect.ts';

export interface RulingDeps extends ChangeRowsDeps {
  imports: ImportStore;
  connections: ConnectionStore;
  importQueues: ImportQueues;
  checker: MailboxChecker;
  propagation: PropagationSteps;
  clock: Clock;
  limits: { cleanupAfterMs: number };
}

/** Where an import stands when its refusals are looked at. */
export interface RulingView {
  counts: TallyCounts;
  outstanding: number;
  window: number;
  /** When the newest check that passed had begun, in milliseconds since the epoch. */
  passStartedAt: number;
  /** Nothing is left to send, and nothing is under way except what is held back. */
  isLast: boolean;
  /** The last line of the import. */
  lastLine: number;
  /** The lines among which rows can be waiting: the first, and one past the last. */
  waiting: { from: number; to: number };
}

export type Ruling =
  | {
      kind: 'goOn';
      /** Grants may be propagating. Until then nobody is asked. */
      quietUntil?: Date;
    }
  /** Scouts are being asked. Nothing else is sent. */
  | { kind: 'wait' }
  /** Send these rows, and nothing else. */
  | { kind: 'scout'; rows: Tagged<Row>[] }
  /** The import is paused. */
  | { kind: 'paused' };

const SCOUTS = 4;
const SCOUTS_PATIENCE_MS = 30_000;
/** After refusals turned out to be the mailboxes' own, so many times more of them are needed to ask again. */
const SCOUT_AT_GROWTH = 8;
const RULING_EVERY_MS = 2_000;
/** A pass counts against a refusal if its check began this much later: clocks of processes differ. */
const PASS_MARGIN_MS = 2_000;
const HELD_READ_MAX = 490;

/**
 * Decides what refusals mean that could concern every mailbox: the mailboxes' own, the whole connection, or grants that
 * have not propagated yet.
 *
 * While passes come in between, held refusals are the mailboxes' own. When refusals outnumber passes, a few scouts from
 * the rest of the list are asked, because a list is often sorted by department. If none passes, a mailbox that passed
 * before is asked once more. If that does not pass either, the import pauses with one finding and no row fails.
 */
export async function ruleOnRefusals(
  deps: RulingDeps,
  record: Import,
  flow: RefusalFlow,
  view: RulingView,
): Promise<Ruling> {
  const now = deps.clock.now().getTime();
  if (flow.epoch !== record.epoch) await beginEpoch(deps, record, flow, view);
  if (flow.scouts) return hearScouts(deps, record, flow, view, now);
  if (view.counts.held <= 0) return { kind: 'goOn' };
  const isWindowFull = flow.streak >= view.window - 1 && view.outstanding <= 0;
  if (flow.streak >= flow.scoutAt || (flow.streak > 0 && isWindowFull && !view.isLast)) {
    const rows = await chooseScouts(deps, record, view.lastLine);
    const lines = rows.map(({ value }) => value.line);
    flow.scouts = { lines, sentAt: now };
    return { kind: 'scout', rows };
  }
  if (!view.isLast && now - flow.lastRulingAt < RULING_EVERY_MS) return { kind: 'goOn' };
  flow.lastRulingAt = now;
  if (view.isLast && record.isReverification && view.counts.passed === 0) {
    const ruling = await suspectAll(deps, record, flow, view, now);
    if (ruling) return ruling;
  }
  const before = view.isLast ? now + 1 : view.passStartedAt - PASS_MARGIN_MS;
  await settleOwn(deps, record, view, before, view.isLast ? Number.POSITIVE_INFINITY : HELD_READ_MAX);
  return { kind: 'goOn' };
}

/**
 * A re-verification is often too small for the number of refusals that makes an import suspicious. If it passed nobody,
 * another mailbox of the connection is asked. Only a clear refusal counts.
 */
async function suspectAll(
  deps: RulingDeps,
  record: Import,
  flow: RefusalFlow,
  view: RulingView,
  now: number,
): Promise<Ruling | undefined> {
  const suspect = await findSuspect(deps, record, view);
  const connection = suspect && (await deps.connections.get(record.customerId, record.connectionId))?.value;
  if (!suspect || !connection) return undefined;
  const recheck = await recheckPassedMailbox(deps, { record, row: suspect.row }, connection, suspect.probe);
  return recheck === 'refused' ? stopAsking(deps, record, flow, view, connection, suspect, now) : undefined;
}

/** After a resume, what was refused before it is asked again: the customer may have fixed the reason. */
async function beginEpoch(deps: RulingDeps, record: Import, flow: RefusalFlow, view: RulingView): Promise<void> {
  if (view.counts.held > 0) await eachHeld(deps, record, view, (rows) => releaseHeld(deps, record, rows));
  flow.epoch = record.epoch;
  flow.streak = 0;
  delete flow.scouts;
}

async function chooseScouts({ ledger }: RulingDeps, record: Import, lastLine: number): Promise<Tagged<Row>[]> {
  const left = lastLine + 1 - record.cursor;
  const chosen = new Map<number, Tagged<Row>>();
  for (let i = 1; i <= SCOUTS && left > 0; i++) {
    const fromLine = record.cursor + Math.floor((left * i) / (SCOUTS + 1));
    const query = { fromLine, states: acceptedStates, limit: SCOUTS };
    const found = await ledger.findRows(record.connectionId, record.id, query);
    const free = found.find(({ value: { line, state } }) => {
      return state === 'pending' && !chosen.has(line) && !record.scoutedLines?.includes(line);
    });
    if (free) chosen.set(free.value.line, free);
  }
  return [...chosen.values()];
}

async function hearScouts(
  deps: RulingDeps,
  record: Import,
  flow: RefusalFlow,
  view: RulingView,
  now: number,
): Promise<Ruling> {
  const { lines, sentAt } = flow.scouts ?? { lines: [], sentAt: now };
  const { connectionId, id } = record;
  const rows = await Promise.all(lines.map((line) => deps.ledger.getRow(connectionId, id, line)));
  const passes = rows.some((row) => row?.value.state === 'passed');
  const isOpen = rows.some((row) => row && ['pending', 'waiting'].includes(row.value.state) && !row.value.heldAt);
  if (!passes && isOpen && now - sentAt < SCOUTS_PATIENCE_MS) return { kind: 'wait' };

  delete flow.scouts;
  const suspect = await findSuspect(deps, record, view);
  const connection = suspect && (await deps.connections.get(record.customerId, connectionId))?.value;
  if (!passes && suspect && connection && (await isEverywhere(deps, record, connection, suspect))) {
    return stopAsking(deps, record, flow, view, connection, suspect, sentAt);
  }
  flow.streak = 0;
  flow.scoutAt *= SCOUT_AT_GROWTH;
  await settleOwn(deps, record, view, sentAt, HELD_READ_MAX + view.counts.held);
  return { kind: 'goOn' };
}

interface HeldSuspect extends Suspect {
  row: Row;
}

async function findSuspect(
  { ledger }: RulingDeps,
  record: Import,
  { waiting: { from: fromLine, to: toLine } }: RulingView,
): Promise<HeldSuspect | undefined> {
  const query = { fromLine, toLine, states: ['waiting'] as const, held: true as const, limit: 1 };
  const [held] = await ledger.findRows(record.connectionId, record.id, query);
  const suspect = held && suspectIn(held.value.priorFindings ?? {});
  return suspect && { ...suspect, row: held.value };
}

/** Asks a mailbox that passed before. If that gives no clear answer, the refusals are taken for the mailboxes' own. */
async function isEverywhere(
  deps: RulingDeps,
  record: Import,
  connection: Connection,
  { probe, row }: HeldSuspect,
): Promise<boolean> {
  const recheck = await recheckPassedMailbox(deps, { record, row }, connection, probe);
  return recheck === 'refused' || recheck === 'none';
}

/** Soon after a change of grants, nobody is asked until the next step. Otherwise the import pauses with one finding. */
async function stopAsking(
  deps: RulingDeps,
  record: Import,
  flow: RefusalFlow,
  view: RulingView,
  connection: Connection,
  suspect: HeldSuspect,
  scoutsSentAt: number,
): Promise<Ruling> {
  const now = deps.clock.now();
  const refused = flow.streak;
  flow.streak = 0;
  const nextCheckAt = canBePropagation(suspect.finding)
    ? deps.propagation.nextAfter(connection.grantsChangedAt, suspect.row.heldAt ?? now)
    : undefined;
  if (nextCheckAt) {
    const isAhead = nextCheckAt > now;
    if (isAhead) await holdChecks(deps, record.customerId, connection.id, nextCheckAt, new Date(scoutsSentAt));
    await settleOwn(deps, record, view, now.getTime() + 1, Number.POSITIVE_INFINITY);
    return { kind: 'goOn', ...(isAhead && { quietUntil: nextCheckAt }) };
  }
  const target = {
    customerId: record.customerId,
    connectionId: connection.id,
    importId: record.id,
    epoch: record.epoch,
  };
  const finding = repeatedRefusalFinding(suspect, refused, now, !hasOwnApp(connection));
  await pauseForConnection(deps, target, finding, new Date(scoutsSentAt), { isRepeatedRefusal: true });
  return { kind: 'paused' };
}

/** Gives rows that were held before this time what follows from their own findings. */
async function settleOwn(
  deps: RulingDeps,
  record: Import,
  view: RulingView,
  before: number,
  rowsMax: number,
): Promise<void> {
  const connection = (await deps.connections.get(record.customerId, record.connectionId))?.value;
  if (!connection) return;
  let left = rowsMax;
  await eachHeld(deps, record, view, async (rows) => {
    const isOfEpoch = (row: Tagged<Row>) => (row.value.heldEpoch ?? 0) >= record.epoch;
    const own = rows.filter((row) => isOfEpoch(row) && (row.value.heldAt?.getTime() ?? 0) < before).slice(0, left);
    left -= rows.length;
    await settleHeld(deps, record, connection, own);
    await releaseHeld(
      deps,
      record,
      rows.filter((row) => !isOfEpoch(row)),
    );
    return left > 0;
  });
}

/** Runs `work` for the held rows, some hundred at a time, until it resolves to `false` or there are no more. */
async function eachHeld(
  { ledger }: RulingDeps,
  record: Import,
  { waiting, isLast }: RulingView,
  work: (rows: Tagged<Row>[]) => Promise<unknown>,
): Promise<void> {
  // The last look leaves nothing out, whatever is thought to wait.
  for (let fromLine = isLast ? 0 : waiting.from; ; ) {
    const query = {
      fromLine,
      toLine: waiting.to,
      states: ['waiting'] as const,
      held: true as const,
      limit: HELD_READ_MAX,
    };
    const rows = await ledger.findRows(record.connectionId, record.id, query);
    const last = rows.at(-1);
    if (!last || (await work(rows)) === false || rows.length < HELD_READ_MAX) return;
    fromLine = last.value.line + 1;
  }
}
