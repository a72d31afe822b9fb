import type { LimitFunction } from 'p-limit';
import type { CheckOutcome, MailboxChecker } from '../checks/mailbox-checker.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { CheckMessage, ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';
import type { Ledger } from './ledger.ts';
import { fillIn, fromFindings } from './outcome.ts';
import { pauseForConnection } from './pause-import.ts';
import type { Seen } from './seen.ts';
import type { Settler } from './settler.ts';

export interface CheckNeeds {
  checker: MailboxChecker;
  /** How many checks this process runs at once; the other messages in flight wait here or for their settlement. */
  checksAtOnce: LimitFunction;
  seen: Seen;
  settler: Settler;
  imports: ImportStore;
  ledger: Ledger;
  connections: ConnectionStore;
  importQueues: ImportQueues;
  clock: Clock;
  limits: CheckLimits;
}

export interface CheckLimits {
  /** How long a mailbox may be throttled or out of reach before it ends as inconclusive. */
  giveUpAfterMs: number;
  /** The first wait when Microsoft names none; doubled each time, with full jitter. */
  retryBaseMs: number;
}

const LATE_AFTER_MS = 2_000;
/** Longer than any check takes. */
const BROOM_AFTER_MS = 120_000;

/** A wait up to this long is a delayed message; a longer one is written into the row, and no message stays behind. */
export const SHORT_WAIT_MS = 60_000;

/**
 * Checks one row's mailbox and sees to it that the row comes to an end.
 *
 * Returns when the message may be deleted: the result is committed, or the row waits (as a message or as a row), or
 * nothing was left to do. A second delivery, of this message or of another for the same row, changes nothing. Rejects
 * with weather when a part of our own is away; the row is then still pending.
 */
export async function checkRow(needs: CheckNeeds, message: CheckMessage, redelivered: boolean): Promise<void> {
  const current = await needs.seen.import(message.customerId, message.importId, message.epoch);
  const connection = await needs.seen.connection(message.customerId, message.connectionId);
  if (!connection) return;
  const again = redelivered || message.again === true || message.attempt > 0;
  const marker = markerOf(message);
  if (message.broom) return needs.checker.removeLeftovers(connection, message.address, marker);
  if (current?.status !== 'running' || message.epoch < current.epoch) {
    // A try before this one may have died between a draft and its removal.
    if (again) await needs.checker.removeLeftovers(connection, message.address, marker);
    return;
  }
  if (redelivered || (message.again && message.tries === 0)) await putBroomDown(needs, message);
  const received = needs.clock.now().getTime();
  const outcome = await needs.checksAtOnce(async () => {
    // Another delivery may have settled the row while this one stood in line. Its last look for leftovers is over then,
    // and nobody would come after us to remove a draft, should this process die.
    const isLate = needs.clock.now().getTime() - received > LATE_AFTER_MS;
    if (isLate && !(await isStillPending(needs, message))) return undefined;
    return needs.checker.check({
      connection,
      address: message.address,
      marker,
      shown: message.shown ?? {},
      cleanFirst: again,
    });
  });
  if (!outcome) {
    if (again) await needs.checker.removeLeftovers(connection, message.address, marker);
    return;
  }
  switch (outcome.kind) {
    case 'checked': {
      const written = fromFindings(outcome.findings, outcome.mailboxKind);
      await needs.settler.settle({ ...placeOf(message), ...written });
      return;
    }
    case 'wait':
      return wait(needs, message, connection, outcome);
    case 'connectionRefused':
      needs.seen.forget(message.importId, message.connectionId);
      return pauseForConnection(needs, message, outcome.finding);
  }
}

/**
 * Two deliveries of one row may be at work at once. Should the slower one die between its draft and its removal after
 * the faster one has settled the row, no later try would come and clean up. So whoever may be one of two sends a last
 * look for leftovers ahead, before it touches the mailbox.
 */
async function putBroomDown(needs: CheckNeeds, message: CheckMessage): Promise<void> {
  await needs.importQueues.sendCheck({ ...message, broom: true }, BROOM_AFTER_MS);
}

async function isStillPending(needs: CheckNeeds, message: CheckMessage): Promise<boolean> {
  const row = await needs.ledger.getRow(message.connectionId, message.importId, message.line);
  return row?.value.state === 'pending' && row.value.attempt === message.attempt;
}

/** Names what a try leaves in a mailbox, the same for every try at one row. */
export function markerOf(message: { importId: string; line: number }): string {
  return `Muster check ${message.importId} ${message.line}`;
}

export function placeOf(message: CheckMessage) {
  const { connectionId, importId, line, address, rowTag, attempt } = message;
  return { connectionId, importId, line, address, rowTag, attempt };
}

async function wait(
  needs: CheckNeeds,
  message: CheckMessage,
  connection: Connection,
  outcome: Extract<CheckOutcome, { kind: 'wait' }>,
): Promise<void> {
  const now = needs.clock.now();
  const since = message.since ? new Date(message.since) : now;
  const delayMs =
    outcome.seconds === undefined ? backOff(message.tries, needs.limits.retryBaseMs) : outcome.seconds * 1000;
  if (now.getTime() + delayMs - since.getTime() > needs.limits.giveUpAfterMs) {
    const findings = fillIn(outcome.shown, connection.probes, { ...outcome, verdict: 'inconclusive', at: now });
    await needs.settler.settle({ ...placeOf(message), ...fromFindings(findings, 'unknown') });
    return;
  }
  if (delayMs <= SHORT_WAIT_MS) {
    await needs.importQueues.sendCheck(
      { ...message, tries: message.tries + 1, again: true, since: since.toISOString(), shown: outcome.shown },
      delayMs,
    );
    return;
  }
  const nextCheckAt = new Date(now.getTime() + delayMs);
  await needs.settler.settle({
    ...placeOf(message),
    state: 'waiting',
    row: { attempt: message.attempt + 1, cause: outcome.cause, nextCheckAt, since, shown: outcome.shown },
    mailbox: { status: 'waiting', nextCheckAt },
  });
}

/** Exponential with full jitter, at least a second, at most a minute: never in step with others who met the same wall. */
function backOff(tries: number, baseMs: number): number {
  const ceiling = Math.min(SHORT_WAIT_MS, baseMs * 2 ** Math.min(tries, 10));
  return Math.max(1000, Math.random() * ceiling);
}
