import type { ConnectionFinding } from '../../causes/verdict.ts';
import { isMailboxLimit } from '../../checks/count-answers.ts';
import type { CheckResult } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Tokens } from '../../connections/tokens.ts';
import { isTransient } from '../../kernel/errors.ts';
import { draftSubjectOf, sendCleanup } from '../cleanup-message.ts';
import { pauseForConnection } from '../control/pause-import.ts';
import type { ReportBook } from '../ledger/report-book.ts';
import type { CheckMessage } from '../messages.ts';
import { tenantKeyOf } from '../tenant-key.ts';
import type { Heartbeat } from './heartbeat.ts';
import { forgetCached, type SettleCheckedDeps, settleChecked } from './settle-checked.ts';
import type { TenantGate, TenantSignal } from './tenant-gate.ts';
import { giveBack, waitForGrants, waitForMicrosoft } from './wait-row.ts';

export interface CheckDeps extends SettleCheckedDeps {
  /** How many checks run at the same time in this process. */
  tenantGate: TenantGate;
  reports: ReportBook;
  heartbeat: Heartbeat;
  sleep: (ms: number) => Promise<void>;
  tokens: Pick<Tokens, 'forget'>;
}

/** After waiting this long for a place, the row is read again: another delivery may have settled it. */
const LATE_AFTER_MS = 10_000;

/** For this long after a consent, Graph may not know an app that already gets tokens from Entra. */
const APP_UNKNOWN_MS = 300_000;
const APP_UNKNOWN_RETRY_SECONDS = 30;
/** After a refusal of a credential that has been replaced in the meantime. */
const OUTDATED_RETRY_MS = 1_000;
/** When a vault or storage of ours did not answer, and named no time. */
const OWN_RETRY_SECONDS = 5;

/**
 * Checks one row's mailbox, and settles the row or lets it wait.
 *
 * Resolves once the message may be deleted. The row then has no message: it is settled, or it waits and the dispatcher
 * sends it again. A second delivery, of this message or of another for the same row, changes nothing. Rejects with a
 * transient error if storage is unavailable. The row is then still pending, and the dispatcher finds that its message is
 * gone.
 */
export async function checkRow(deps: CheckDeps, message: CheckMessage, redelivered: boolean): Promise<void> {
  const current = await deps.importCache.get(message);
  const connection = await deps.connectionCache.get(message);
  if (!connection) return;
  if (message.cleanupOnly) return deps.checker.removeLeftovers(connection, message.address, draftSubjectOf(message));
  const mayBeOneOfTwo = redelivered || message.isResent === true;
  if (current?.status !== 'running' || message.epoch < current.epoch) {
    // An earlier try may have died between writing a draft and removing it.
    return mayBeOneOfTwo || message.mayHaveLeftovers ? cleanUp(deps, message, connection) : undefined;
  }
  const leaveHand = deps.reports.take(message.importId, message.line);
  deps.heartbeat.start(message.connectionId, message.importId);
  try {
    await checkInHand(deps, message, connection, mayBeOneOfTwo);
  } finally {
    leaveHand();
  }
}

async function checkInHand(
  deps: CheckDeps,
  message: CheckMessage,
  connection: Connection,
  mayBeOneOfTwo: boolean,
): Promise<void> {
  const receivedAt = deps.clock.now();
  if (mayBeOneOfTwo && !(await isStillPending(deps, message))) return cleanUp(deps, message, connection);
  const quietUntil = message.quietUntil ?? connection.checksHeldUntil;
  if (quietUntil && quietUntil > receivedAt && !message.canary) {
    return waitForGrants(deps, message, undefined, quietUntil);
  }
  if (message.attempt > 0) {
    const step = deps.propagation.lastBefore(connection.grantsChangedAt, receivedAt);
    if (step) deps.tokens.forget(connection.id, step);
  }
  await waitUntilAskAt(deps, message);
  const turn = await deps.tenantGate.run(
    tenantKeyOf(connection),
    {
      generation: message.generation,
      isProbe: message.isProbe === true,
      expectsRefusals: message.expectsRefusals === true,
    },
    () => askMicrosoft(deps, message, connection, receivedAt, mayBeOneOfTwo),
    (asked) => (asked.kind === 'asked' ? signalOf(message, asked.result) : { kind: 'none' }),
  );
  if (!turn.ran) {
    const { generation } = message;
    deps.reports.observe(
      message.importId,
      turn.why === 'throttled' ? { generation, returned: 1 } : { generation, unanswered: 1 },
    );
    const cause = turn.why === 'throttled' ? 'throttled' : 'microsoft_unavailable';
    return giveBack(deps, message, { cause, delayMs: turn.reopensInMs, mayHaveLeftovers: mayBeOneOfTwo });
  }
  const asked = turn.value;
  switch (asked.kind) {
    case 'notNeeded':
      return mayBeOneOfTwo || message.mayHaveLeftovers ? cleanUp(deps, message, connection) : undefined;
    case 'unable':
      return giveBack(deps, message, { delayMs: asked.retryAfterMs, mayHaveLeftovers: mayBeOneOfTwo });
    case 'asked':
      return settleResult(deps, message, connection, asked);
  }
}

/** Waits for the instant that the message names. Clocks differ, so it never waits for longer than the sender meant. */
async function waitUntilAskAt({ clock, sleep }: CheckDeps, { askAt, sentAt }: CheckMessage): Promise<void> {
  if (!askAt || !sentAt) return;
  const meantMs = askAt.getTime() - sentAt.getTime();
  const leftMs = Math.min(meantMs, askAt.getTime() - clock.now().getTime());
  if (leftMs > 0) await sleep(leftMs);
}

type Asked =
  | { kind: 'asked'; result: CheckResult; startedAt: Date; ignoresRepeatedRefusals: boolean }
  /** Another delivery dealt with the row, or the import is no longer running. */
  | { kind: 'notNeeded' }
  /** A service of our own is unavailable. Nothing was asked. */
  | { kind: 'unable'; retryAfterMs: number };

async function askMicrosoft(
  deps: CheckDeps,
  message: CheckMessage,
  connection: Connection,
  receivedAt: Date,
  mayBeOneOfTwo: boolean,
): Promise<Asked> {
  const startedAt = deps.clock.now();
  // The import may have been paused while this check waited for a place.
  const current = await deps.importCache.get(message);
  if (current?.status !== 'running' || message.epoch < current.epoch) return { kind: 'notNeeded' };
  // If another delivery has settled the row, no later try cleans up. A draft written now would stay if we die.
  const isLate = startedAt.getTime() - receivedAt.getTime() > LATE_AFTER_MS;
  const mayBeCancelled = current.rowsCancelledAt !== undefined;
  if ((isLate || mayBeCancelled) && !(await isStillPending(deps, message))) return { kind: 'notNeeded' };
  if (mayBeOneOfTwo) await sendCleanup(deps.importQueues, message, deps.limits.cleanupAfterMs);
  try {
    const result = await deps.checker.check({
      connection,
      address: message.address,
      draftSubject: draftSubjectOf(message),
      priorFindings: message.priorFindings ?? {},
      cleanFirst: mayBeOneOfTwo || message.mayHaveLeftovers === true,
      ...(message.priorKind && { priorKind: message.priorKind }),
      ...(message.priorIdentity && { priorIdentity: message.priorIdentity }),
      ...(message.knownAs && { knownAs: message.knownAs }),
      tries: message.tries,
    });
    return { kind: 'asked', result, startedAt, ignoresRepeatedRefusals: current.ignoresRepeatedRefusals === true };
  } catch (error) {
    if (!isTransient(error)) throw error;
    return { kind: 'unable', retryAfterMs: (error.retryAfterSeconds ?? OWN_RETRY_SECONDS) * 1000 };
  }
}

async function settleResult(
  deps: CheckDeps,
  message: CheckMessage,
  connection: Connection,
  asked: Extract<Asked, { kind: 'asked' }>,
): Promise<void> {
  const { result, startedAt } = asked;
  const signal = signalOf(message, result);
  deps.reports.observe(message.importId, {
    generation: message.generation,
    ...result.counts,
    ...(signal.kind === 'unanswered' && { unanswered: 1 }),
    ...(isWhole(message, result) && { wholeRequests: result.counts.accepted }),
    ...(signal.kind === 'throttled' &&
      signal.seconds !== undefined && { retryAt: new Date(deps.clock.now().getTime() + signal.seconds * 1000) }),
  });
  switch (result.kind) {
    case 'checked':
      return settleChecked(deps, message, { connection, ...asked }, result);
    case 'wait':
      return waitForMicrosoft(deps, message, connection, result, signal.kind);
    case 'connectionRefused': {
      if (isAppUnknownYet(deps, connection, result.finding)) {
        const priorFindings = message.priorFindings ?? {};
        const wait = { kind: 'wait', cause: 'propagating', seconds: APP_UNKNOWN_RETRY_SECONDS, priorFindings } as const;
        return waitForMicrosoft(deps, message, connection, wait, 'none');
      }
      forgetCached(deps, message);
      const latest = await deps.connectionCache.get(message);
      // The credential was replaced after this process had read it. The refusal says nothing about the new one.
      if (latest && isOtherCredential(latest, connection)) {
        return giveBack(deps, message, { delayMs: OUTDATED_RETRY_MS, mayHaveLeftovers: true });
      }
      return pauseForConnection(deps, message, result.finding, startedAt);
    }
  }
}

/** Removes what an earlier try may have left. If Microsoft does not let us now, a cleanup message does it later. */
async function cleanUp(deps: CheckDeps, message: CheckMessage, connection: Connection): Promise<void> {
  try {
    await deps.checker.removeLeftovers(connection, message.address, draftSubjectOf(message));
  } catch (error) {
    if (!isTransient(error)) throw error;
    await sendCleanup(deps.importQueues, message, deps.limits.cleanupAfterMs);
  }
}

async function isStillPending(deps: CheckDeps, message: CheckMessage): Promise<boolean> {
  const row = await deps.ledger.getRow(message.connectionId, message.importId, message.line);
  return row?.value.state === 'pending' && row.value.attempt === message.attempt;
}

/** What the result says about the tenant. A mailbox that was silent before says nothing by being silent again. */
function signalOf(message: CheckMessage, { counts, ...result }: CheckResult): TenantSignal {
  const isThrottled = result.kind === 'wait' && result.cause === 'throttled' && !isMailboxLimit(result.microsoftCode);
  // If most was answered, the tenant as a whole is not at its limit. The counts are reported all the same.
  if (isThrottled && counts.throttled >= counts.accepted) {
    const seconds = result.kind === 'wait' ? result.seconds : undefined;
    return { kind: 'throttled', ...(seconds !== undefined && { seconds }) };
  }
  if (counts.accepted > 0) return { kind: 'answered' };
  const isSilent = result.kind === 'wait' && result.cause === 'microsoft_unavailable';
  return { kind: isSilent && message.tries === 0 ? 'unanswered' : 'none' };
}

/** Whether the check was done in one try from beginning to end, so that it shows what a mailbox costs. */
function isWhole(message: CheckMessage, { kind, counts }: CheckResult): boolean {
  return kind === 'checked' && counts.throttled === 0 && message.attempt === 0 && !message.isResent;
}

function isOtherCredential(one: Connection, other: Connection): boolean {
  return one.credential.version !== other.credential.version || one.clientId !== other.clientId;
}

function isAppUnknownYet(deps: CheckDeps, connection: Connection, finding: ConnectionFinding): boolean {
  const now = deps.clock.now();
  return (
    finding.microsoftCode === 'Authorization_IdentityNotFound' &&
    now.getTime() - connection.grantsChangedAt.getTime() < APP_UNKNOWN_MS &&
    deps.propagation.nextAfter(connection.grantsChangedAt, now) !== undefined
  );
}
