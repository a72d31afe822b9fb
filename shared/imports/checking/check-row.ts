import type { ConnectionFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Tokens } from '../../connections/tokens.ts';
import type { Retry } from '../../kernel/retry.ts';
import type { CheckMessage } from '../messages.ts';
import { pauseForConnection } from '../pause-import.ts';
import { draftSubjectOf, sendCleanup } from './cleanup-message.ts';
import { forgetCached, type SettleCheckedDeps, settleChecked } from './settle-checked.ts';
import type { TenantRateLimiter, TenantSignal } from './tenant-rate-limiter.ts';
import { waitForGrants, waitForMicrosoft } from './wait-row.ts';

export interface CheckDeps extends SettleCheckedDeps {
  /** How many checks run at the same time, in this process and of each tenant. */
  rateLimiter: TenantRateLimiter;
  tokens: Pick<Tokens, 'forget'>;
}

/** After waiting this long for the rate limiter, the row is read again: another delivery may have settled it. */
const LATE_AFTER_MS = 2_000;

/** For this long after a consent, Graph may not know an app that already gets tokens from Entra. */
const APP_UNKNOWN_MS = 300_000;
const APP_UNKNOWN_RETRY_SECONDS = 30;

/**
 * Checks one row's mailbox and makes sure that the row ends.
 *
 * Resolves once the message may be deleted: the result is committed, the row waits, or nothing was left to do. Resolves
 * to a `Retry` if a message must be sent again later. A second delivery, of this message or of another for the same
 * row, changes nothing. Rejects with a transient error if one of our own services is unavailable. The row is then still
 * pending.
 */
export async function checkRow(
  deps: CheckDeps,
  message: CheckMessage,
  redelivered: boolean,
): Promise<Retry<CheckMessage> | undefined> {
  const current = await deps.importCache.get(message);
  const connection = await deps.connectionCache.get(message);
  if (!connection) return undefined;
  const mayHaveLeftovers = redelivered || message.mayHaveLeftovers === true || message.attempt > 0;
  const draftSubject = draftSubjectOf(message);
  const cleanUp = () => deps.checker.removeLeftovers(connection, message.address, draftSubject);
  if (message.cleanupOnly) {
    await cleanUp();
    return undefined;
  }
  if (current?.status !== 'running' || message.epoch < current.epoch) {
    // An earlier try may have died between writing a draft and removing it.
    if (mayHaveLeftovers) await cleanUp();
    return undefined;
  }
  const receivedAt = deps.clock.now();
  if (connection.checksHeldUntil && connection.checksHeldUntil > receivedAt && !message.canary) {
    await waitForGrants(deps, message, undefined, connection.checksHeldUntil);
    return undefined;
  }
  if (message.attempt > 0) {
    const step = deps.propagation.lastBefore(connection.grantsChangedAt, receivedAt);
    if (step) deps.tokens.forget(connection.id, step);
  }
  const turn = await deps.rateLimiter.run(
    `${connection.cloud} ${connection.tenantId} ${connection.clientId}`,
    async () => {
      const startedAt = deps.clock.now();
      const isLate = startedAt.getTime() - receivedAt.getTime() > LATE_AFTER_MS;
      const mayBeOneOfTwo = redelivered || (message.mayHaveLeftovers && message.tries === 0);
      // If another delivery has settled the row, no later try cleans up. A draft written now would stay if we die.
      if ((isLate || mayBeOneOfTwo) && !(await isStillPending(deps, message))) return undefined;
      if (mayBeOneOfTwo) await sendCleanup(deps.importQueues, message, deps.limits.cleanupAfterMs);
      const outcome = await deps.checker.check({
        connection,
        address: message.address,
        draftSubject,
        priorFindings: message.priorFindings ?? {},
        cleanFirst: mayHaveLeftovers,
        tries: message.tries + message.attempt,
      });
      return { outcome, startedAt };
    },
    (checked) => signalOf(checked?.outcome),
  );
  if (!turn.ran) {
    // Nothing was asked, so this does not count as a try.
    return {
      message: mayHaveLeftovers ? { ...message, mayHaveLeftovers: true } : message,
      delayMs: turn.seconds * 1000,
    };
  }
  if (!turn.value) {
    if (mayHaveLeftovers) await cleanUp();
    return undefined;
  }
  const { outcome, startedAt } = turn.value;
  switch (outcome.kind) {
    case 'checked':
      await settleChecked(deps, message, { record: current, connection, startedAt }, outcome);
      return undefined;
    case 'wait':
      return waitForMicrosoft(deps, message, connection, outcome);
    case 'connectionRefused': {
      if (isAppUnknownYet(deps, connection, outcome.finding)) {
        const priorFindings = message.priorFindings ?? {};
        const wait = { kind: 'wait', cause: 'propagating', seconds: APP_UNKNOWN_RETRY_SECONDS, priorFindings } as const;
        return waitForMicrosoft(deps, message, connection, wait);
      }
      forgetCached(deps, message);
      await pauseForConnection(deps, message, outcome.finding, startedAt);
      return undefined;
    }
  }
}

async function isStillPending(deps: CheckDeps, message: CheckMessage): Promise<boolean> {
  const row = await deps.ledger.getRow(message.connectionId, message.importId, message.line);
  return row?.value.state === 'pending' && row.value.attempt === message.attempt;
}

/** Microsoft's codes for a limit on one mailbox. They say nothing about the tenant. */
const MAILBOX_LIMIT_CODES: ReadonlySet<string> = new Set(['ApplicationThrottled', 'MailboxConcurrency', '4.3.2']);

function signalOf(outcome: CheckOutcome | undefined): TenantSignal {
  if (outcome?.kind !== 'wait') return { kind: 'ok' };
  const { cause, seconds, microsoftCode, answered } = outcome;
  if (cause === 'throttled' && !MAILBOX_LIMIT_CODES.has(microsoftCode ?? '')) {
    return { kind: 'throttled', isWhole: !answered, ...(seconds !== undefined && { seconds }) };
  }
  // Every refusal has a code. Without one, Microsoft did not answer.
  return cause === 'microsoft_unavailable' && microsoftCode === undefined ? { kind: 'unanswered' } : { kind: 'ok' };
}

function isAppUnknownYet(deps: CheckDeps, connection: Connection, finding: ConnectionFinding): boolean {
  const now = deps.clock.now();
  return (
    finding.microsoftCode === 'Authorization_IdentityNotFound' &&
    now.getTime() - connection.grantsChangedAt.getTime() < APP_UNKNOWN_MS &&
    deps.propagation.nextAfter(connection.grantsChangedAt, now) !== undefined
  );
}
