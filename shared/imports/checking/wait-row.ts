import type { CauseCode } from '../../causes/causes.ts';
import { fillMissingFindings } from '../../causes/findings.ts';
import type { Findings } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import { sendCleanup, sendCleanupForLateArrival } from '../cleanup-message.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ReportBook } from '../ledger/report-book.ts';
import type { Settler } from '../ledger/settler.ts';
import type { CheckMessage } from '../messages.ts';
import { waitForGrantsResult } from '../refusals/wait-for-grants.ts';
import { identifiedResultOf } from './identify-mailbox.ts';
import { rowLocationOf } from './row-location.ts';
import type { TenantSignal } from './tenant-gate.ts';

export interface WaitDeps {
  settler: Settler;
  reports: ReportBook;
  importQueues: ImportQueues;
  clock: Clock;
  limits: CheckLimits;
}

interface CheckLimits {
  /** How long a mailbox may be throttled or unreachable before it ends as inconclusive. */
  giveUpAfterMs: number;
  /** The first wait after a check without an answer, when Microsoft names no time. Doubles with each such check. */
  retryBaseMs: number;
  /** How long after a try its cleanup message is due. Longer than a check takes. */
  cleanupAfterMs: number;
}

/** A throttled row waits at least this long, also if Microsoft asks for less. The dispatcher decides how much longer. */
const THROTTLED_MIN_MS = 1_000;
/**
 * The longest wait after a check without an answer, and after one with some answers: then Microsoft is there, and asking
 * again soon helps. After some minutes and many tries neither helps.
 */
const UNANSWERED_MAX_MS = 8_000;
const PARTLY_ANSWERED_MAX_MS = 4_000;
const SHORT_WAITS_MS = 300_000;
const SHORT_TRIES = 10;
const LONG_WAIT_MAX_MS = 60_000;

/**
 * Lets a row wait that Microsoft throttled or did not answer, with what was found so far. Once `giveUpAfterMs` is over,
 * settles it as inconclusive.
 */
export async function waitForMicrosoft(
  deps: WaitDeps,
  message: CheckMessage,
  connection: Connection,
  outcome: Extract<CheckOutcome, { kind: 'wait' }>,
  signal: TenantSignal['kind'],
): Promise<void> {
  const now = deps.clock.now();
  const { firstDeferredAt = now } = message;
  const { priorFindings, cause } = outcome;
  // A probe goes out often while the tenant is silent, so its silence does not lengthen the waits of this one mailbox.
  const isTry = signal !== 'throttled' && !(message.isProbe && signal === 'unanswered');
  const tries = isTry ? message.tries + 1 : message.tries;
  const askedMs = (outcome.seconds ?? 0) * 1000;
  const sinceMs = now.getTime() - firstDeferredAt.getTime();
  const delayMs =
    signal === 'throttled'
      ? Math.max(THROTTLED_MIN_MS, askedMs)
      : askedMs || backOff(message.tries, deps.limits.retryBaseMs, maxWait(message.tries, signal, sinceMs));
  const isUrgent = signal !== 'none' && deps.reports.isNews(message.importId);
  if (sinceMs + delayMs > deps.limits.giveUpAfterMs) {
    const missing = { ...outcome, verdict: 'inconclusive', at: now } as const;
    const findings = fillMissingFindings(priorFindings, connection.probes, missing);
    // No later try removes the draft. The cleanup message is repeated until Microsoft answers.
    if (outcome.mayHaveLeftovers) await sendCleanup(deps.importQueues, message, deps.limits.cleanupAfterMs);
    else await sendCleanupForLateArrival(deps.importQueues, message, findings, deps.limits.cleanupAfterMs);
    const given = {
      findings,
      mailboxKind: 'unknown',
      ...(outcome.identity && { identity: outcome.identity }),
    } as const;
    const result = identifiedResultOf(given, message, now);
    await deps.settler.settle({ ...rowLocationOf(message), ...result, urgent: isUrgent });
    return;
  }
  const nextCheckAt = new Date(now.getTime() + delayMs);
  const mayHaveLeftovers = outcome.mayHaveLeftovers ?? null;
  const priorKind = outcome.priorKind ?? null;
  const priorIdentity = outcome.identity ?? null;
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      cause,
      nextCheckAt,
      firstDeferredAt,
      priorFindings,
      priorKind,
      priorIdentity,
      tries,
      mayHaveLeftovers,
    },
    mailbox: waitingMailbox(message, nextCheckAt, cause),
    urgent: isUrgent,
  });
}

/** Lets a row wait that was not asked. Nothing is known about it that was not known before. */
export async function giveBack(
  deps: WaitDeps,
  message: CheckMessage,
  { cause, delayMs, mayHaveLeftovers }: { cause?: CauseCode; delayMs: number; mayHaveLeftovers: boolean },
): Promise<void> {
  const nextCheckAt = new Date(deps.clock.now().getTime() + delayMs);
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      nextCheckAt,
      ...(cause && { cause }),
      ...(mayHaveLeftovers && { mayHaveLeftovers }),
    },
    mailbox: waitingMailbox(message, nextCheckAt, cause ?? null),
    urgent: deps.reports.isNews(message.importId),
  });
}

/**
 * Makes a row wait for grants that may still be propagating. At `nextCheckAt`, only the refused probes are asked again.
 *
 * @param findings absent if nothing was asked, because the connection is in a quiet period
 */
export async function waitForGrants(
  deps: WaitDeps,
  message: CheckMessage,
  findings: Findings | undefined,
  nextCheckAt: Date,
): Promise<void> {
  const { row, mailbox } = waitForGrantsResult(
    findings ?? message.priorFindings ?? {},
    nextCheckAt,
    message.keepsStatus,
  );
  const { checks: _unchanged, ...withoutChecks } = mailbox;
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: { ...row, attempt: message.attempt + 1 },
    mailbox: findings ? mailbox : withoutChecks,
  });
}

/** Shows that the mailbox waits, unless it keeps its status. */
export function waitingMailbox(
  { keepsStatus }: Pick<CheckMessage, 'keepsStatus'>,
  nextCheckAt: Date | null,
  waitCause: CauseCode | null,
) {
  return { ...(!keepsStatus && { status: 'waiting' as const }), nextCheckAt, waitCause };
}

function maxWait(tries: number, signal: TenantSignal['kind'], sinceMs: number): number {
  if (tries >= SHORT_TRIES && sinceMs >= SHORT_WAITS_MS) return LONG_WAIT_MAX_MS;
  return signal === 'answered' ? PARTLY_ANSWERED_MAX_MS : UNANSWERED_MAX_MS;
}

function backOff(tries: number, baseMs: number, maxMs: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(tries, 10));
}
