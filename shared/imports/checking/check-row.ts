import type { ConnectionFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Tokens } from '../../connections/tokens.ts';
import type { CheckMessage } from '../import-queues.ts';
import { pauseForConnection } from '../pause-import.ts';
import { draftSubjectOf, sendCleanup } from './cleanup-message.ts';
import { type SettleCheckedDeps, settleChecked } from './settle-checked.ts';
import type { TenantRateLimiter, TenantSignal } from './tenant-rate-limiter.ts';
import { waitForGrants, waitForMicrosoft } from './wait-row.ts';

export interface CheckDeps extends SettleCheckedDeps {
  /** How many checks run at once, in this process and of each tenant. */
  rateLimiter: TenantRateLimiter;
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
export async function checkRow(deps: CheckDeps, message: CheckMessage, redelivered: boolean): Promise<void> {
  const current = await deps.seen.import(message.customerId, message.importId, message.epoch);
  const connection = await deps.seen.connection(message);
  if (!connection) return;
  const again = redelivered || message.mayHaveLeftovers === true || message.attempt > 0;
  const draftSubject = draftSubjectOf(message);
  if (message.cleanupOnly) return deps.checker.removeLeftovers(connection, message.address, draftSubject);
  if (current?.status !== 'running' || message.epoch < current.epoch) {
    // A try before this one may have died between a draft and its removal.
    if (again) await deps.checker.removeLeftovers(connection, message.address, draftSubject);
    return;
  }
  const received = deps.clock.now();
  if (connection.quietUntil && connection.quietUntil > received && !message.canary) {
    return waitForGrants(deps, message, undefined, connection.quietUntil);
  }
  if (message.attempt > 0) {
    const step = deps.propagation.lastBefore(connection.grantsChangedAt, received);
    if (step) deps.tokens.forget(connection.id, step);
  }
  const turn = await deps.rateLimiter.run(
    `${connection.cloud} ${connection.tenantId} ${connection.clientId}`,
    async () => {
      // Another delivery may have settled the row, before this one came or while it stood in line. Its last look for
      // leftovers is over then, and nobody would come after us to remove a draft, should this process die.
      const startedAt = deps.clock.now().getTime();
      const isLate = startedAt - received.getTime() > LATE_AFTER_MS;
      const mayBeOneOfTwo = redelivered || (message.mayHaveLeftovers && message.tries === 0);
      if ((isLate || mayBeOneOfTwo) && !(await isStillPending(deps, message))) return undefined;
      if (mayBeOneOfTwo) await sendCleanup(deps.importQueues, message, deps.limits.cleanupAfterMs);
      const outcome = await deps.checker.check({
        connection,
        address: message.address,
        draftSubject,
        priorFindings: message.priorFindings ?? {},
        cleanFirst: again,
        tries: message.tries + message.attempt,
      });
      return { outcome, startedAt };
    },
    (checked) => signalOf(checked?.outcome),
  );
  if (!turn.ran) {
    // Nothing was asked, so it is not a try.
    return deps.importQueues.sendCheck(again ? { ...message, mayHaveLeftovers: true } : message, turn.seconds * 1000);
  }
  if (!turn.value) {
    if (again) await deps.checker.removeLeftovers(connection, message.address, draftSubject);
    return;
  }
  const { outcome, startedAt } = turn.value;
  switch (outcome.kind) {
    case 'checked':
      return settleChecked(deps, message, { record: current, connection, startedAt }, outcome);
    case 'wait':
      return waitForMicrosoft(deps, message, connection, outcome);
    case 'connectionRefused':
      if (isNotKnownYet(deps, connection, outcome.finding)) {
        const priorFindings = message.priorFindings ?? {};
        const wait = { kind: 'wait', cause: 'propagating', seconds: APP_UNKNOWN_RETRY_SECONDS, priorFindings } as const;
        return waitForMicrosoft(deps, message, connection, wait);
      }
      deps.seen.forget(message.importId, message.connectionId);
      return pauseForConnection(deps, message, outcome.finding, new Date(startedAt));
  }
}

async function isStillPending(deps: CheckDeps, message: CheckMessage): Promise<boolean> {
  const row = await deps.ledger.getRow(message.connectionId, message.importId, message.line);
  return row?.value.state === 'pending' && row.value.attempt === message.attempt;
}

/** A limit on one mailbox says nothing about its tenant. */
const MAILBOX_LIMITS: ReadonlySet<string> = new Set(['ApplicationThrottled', 'MailboxConcurrency', '4.3.2']);

function signalOf(outcome: CheckOutcome | undefined): TenantSignal {
  if (outcome?.kind !== 'wait') return { kind: 'ok' };
  const { cause, seconds, microsoftCode, answered } = outcome;
  if (cause === 'throttled' && !MAILBOX_LIMITS.has(microsoftCode ?? '')) {
    return { kind: 'throttled', isWhole: !answered, ...(seconds !== undefined && { seconds }) };
  }
  // A refusal has a code; what has none was not answered.
  return cause === 'microsoft_unavailable' && microsoftCode === undefined ? { kind: 'unanswered' } : { kind: 'ok' };
}

function isNotKnownYet(deps: CheckDeps, connection: Connection, finding: ConnectionFinding): boolean {
  const now = deps.clock.now();
  return (
    finding.microsoftCode === 'Authorization_IdentityNotFound' &&
    now.getTime() - connection.grantsChangedAt.getTime() < APP_UNKNOWN_MS &&
    deps.propagation.nextAfter(connection.grantsChangedAt, now) !== undefined
  );
}
