import type { ConnectionFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Tokens } from '../../connections/tokens.ts';
import type { CheckMessage } from '../import-queues.ts';
import { pauseForConnection } from '../pause-import.ts';
import { markerOf, sendBroom } from './cleanup-message.ts';
import { type SettleCheckedNeeds, settleChecked } from './settle-checked.ts';
import type { Pace, PaceSignal } from './tenant-rate-limiter.ts';
import { waitForGrants, waitForMicrosoft } from './wait-row.ts';

export interface CheckNeeds extends SettleCheckedNeeds {
  /** How many checks run at once, in this process and of each tenant. */
  pace: Pace;
  tokens: Pick<Tokens, 'forget'>;
}

const LATE_AFTER_MS = 2_000;

/** So long after a consent Graph may not know the app yet that Entra gives tokens to. */
const APP_UNKNOWN_MS = 300_000;
const APP_UNKNOWN_RETRY_SECONDS = 30;

/**
 * Checks one row's mailbox and sees to it that the row comes to an end.
 *
 * Returns when the message may be deleted: the result is committed, or the row waits (as a message or as a row), or
 * nothing was left to do. A second delivery, of this message or of another for the same row, changes nothing. Rejects
 * with weather when a part of our own is away; the row is then still pending.
 */
export async function checkRow(needs: CheckNeeds, message: CheckMessage, redelivered: boolean): Promise<void> {
  const current = await needs.seen.import(message.customerId, message.importId, message.epoch);
  const connection = await needs.seen.connection(message);
  if (!connection) return;
  const again = redelivered || message.again === true || message.attempt > 0;
  const marker = markerOf(message);
  if (message.broom) return needs.checker.removeLeftovers(connection, message.address, marker);
  if (current?.status !== 'running' || message.epoch < current.epoch) {
    // A try before this one may have died between a draft and its removal.
    if (again) await needs.checker.removeLeftovers(connection, message.address, marker);
    return;
  }
  const received = needs.clock.now();
  if (connection.checksHeldUntil && connection.checksHeldUntil > received && !message.canary) {
    return waitForGrants(needs, message, undefined, connection.checksHeldUntil);
  }
  if (message.attempt > 0) {
    const step = needs.propagation.lastBefore(connection.grantsChangedAt, received);
    if (step) needs.tokens.forget(connection.id, step);
  }
  const turn = await needs.pace.run(
    `${connection.cloud} ${connection.tenantId} ${connection.clientId}`,
    async () => {
      // Another delivery may have settled the row, before this one came or while it stood in line. Its last look for
      // leftovers is over then, and nobody would come after us to remove a draft, should this process die.
      const startedAt = needs.clock.now().getTime();
      const isLate = startedAt - received.getTime() > LATE_AFTER_MS;
      const mayBeOneOfTwo = redelivered || (message.again && message.tries === 0);
      if ((isLate || mayBeOneOfTwo) && !(await isStillPending(needs, message))) return undefined;
      if (mayBeOneOfTwo) await sendBroom(needs.importQueues, message, needs.limits.lastLookAfterMs);
      const outcome = await needs.checker.check({
        connection,
        address: message.address,
        marker,
        shown: message.shown ?? {},
        cleanFirst: again,
        tries: message.tries + message.attempt,
      });
      return { outcome, startedAt };
    },
    (checked) => signalOf(checked?.outcome),
  );
  if (!turn.ran) {
    // Nothing was asked, so it is not a try.
    return needs.importQueues.sendCheck(again ? { ...message, again: true } : message, turn.seconds * 1000);
  }
  if (!turn.value) {
    if (again) await needs.checker.removeLeftovers(connection, message.address, marker);
    return;
  }
  const { outcome, startedAt } = turn.value;
  switch (outcome.kind) {
    case 'checked':
      return settleChecked(needs, message, { record: current, connection, startedAt }, outcome);
    case 'wait':
      return waitForMicrosoft(needs, message, connection, outcome);
    case 'connectionRefused':
      if (isNotKnownYet(needs, connection, outcome.finding)) {
        const shown = message.shown ?? {};
        const wait = { kind: 'wait', cause: 'propagating', seconds: APP_UNKNOWN_RETRY_SECONDS, shown } as const;
        return waitForMicrosoft(needs, message, connection, wait);
      }
      needs.seen.forget(message.importId, message.connectionId);
      return pauseForConnection(needs, message, outcome.finding, new Date(startedAt));
  }
}

async function isStillPending(needs: CheckNeeds, message: CheckMessage): Promise<boolean> {
  const row = await needs.ledger.getRow(message.connectionId, message.importId, message.line);
  return row?.value.state === 'pending' && row.value.attempt === message.attempt;
}

/** A limit on one mailbox says nothing about its tenant. */
const MAILBOX_LIMITS: ReadonlySet<string> = new Set(['ApplicationThrottled', 'MailboxConcurrency', '4.3.2']);

function signalOf(outcome: CheckOutcome | undefined): PaceSignal {
  if (outcome?.kind !== 'wait') return { kind: 'fine' };
  const { cause, seconds, microsoftCode, answered } = outcome;
  if (cause === 'throttled' && !MAILBOX_LIMITS.has(microsoftCode ?? '')) {
    return { kind: 'throttled', isWhole: !answered, ...(seconds !== undefined && { seconds }) };
  }
  // A refusal has a code; what has none was not answered.
  return cause === 'microsoft_unavailable' && microsoftCode === undefined ? { kind: 'unwell' } : { kind: 'fine' };
}

function isNotKnownYet(needs: CheckNeeds, connection: Connection, finding: ConnectionFinding): boolean {
  const now = needs.clock.now();
  return (
    finding.microsoftCode === 'Authorization_IdentityNotFound' &&
    now.getTime() - connection.grantsChangedAt.getTime() < APP_UNKNOWN_MS &&
    needs.propagation.nextAfter(connection.grantsChangedAt, now) !== undefined
  );
}
