import { canBePropagation } from '../../causes/denial.ts';
import { fillMissingFindings } from '../../causes/findings.ts';
import type { Findings, Probe, ProbeFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Retry } from '../../kernel/retry.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Settler } from '../ledger/settler.ts';
import type { CheckMessage } from '../messages.ts';
import { sendCleanupForLateArrival } from './cleanup-message.ts';
import { rowLocationOf } from './row-location.ts';
import { rowResultOf } from './row-result.ts';

export interface WaitDeps {
  settler: Settler;
  importQueues: ImportQueues;
  clock: Clock;
  limits: CheckLimits;
}

interface CheckLimits {
  /** How long a mailbox may be throttled or unreachable before it ends as inconclusive. */
  giveUpAfterMs: number;
  /** The first wait when Microsoft names none. Doubles with each try, with full jitter. */
  retryBaseMs: number;
  /** How long after a try its cleanup message is due. Longer than a check takes. */
  cleanupAfterMs: number;
}

/** Up to this time, a wait is a delayed message. A longer wait is written into the row, and the row has no message. */
const SHORT_WAIT_MAX_MS = 60_000;

/** Partial answers do not count as an outage. After them, a wait is no longer than after this many tries. */
const PARTIALLY_ANSWERED_TRIES_MAX = 2;

/**
 * Handles a check that has to wait for Microsoft: tries it again later, until `giveUpAfterMs` is over. Resolves to the
 * message to send again, or to `undefined` once the row is written.
 */
export async function waitForMicrosoft(
  deps: WaitDeps,
  message: CheckMessage,
  connection: Connection,
  outcome: Extract<CheckOutcome, { kind: 'wait' }>,
): Promise<Retry<CheckMessage> | undefined> {
  const now = deps.clock.now();
  const { firstDeferredAt = now } = message;
  const { priorFindings } = outcome;
  const tries = outcome.answered ? Math.min(message.tries, PARTIALLY_ANSWERED_TRIES_MAX) : message.tries;
  const delayMs = outcome.seconds === undefined ? backOff(tries, deps.limits.retryBaseMs) : outcome.seconds * 1000;
  if (now.getTime() + delayMs - firstDeferredAt.getTime() > deps.limits.giveUpAfterMs) {
    const missing = { ...outcome, verdict: 'inconclusive', at: now } as const;
    const findings = fillMissingFindings(priorFindings, connection.probes, missing);
    await sendCleanupForLateArrival(deps.importQueues, message, findings, deps.limits.cleanupAfterMs);
    await deps.settler.settle({ ...rowLocationOf(message), ...rowResultOf(findings, 'unknown') });
    return undefined;
  }
  if (delayMs <= SHORT_WAIT_MAX_MS) {
    const nextTry: CheckMessage = {
      ...message,
      tries: tries + 1,
      mayHaveLeftovers: true,
      firstDeferredAt,
      priorFindings,
    };
    return { message: nextTry, delayMs };
  }
  const nextCheckAt = new Date(now.getTime() + delayMs);
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: { attempt: message.attempt + 1, cause: outcome.cause, nextCheckAt, firstDeferredAt, priorFindings },
    mailbox: { status: 'waiting', nextCheckAt },
  });
  return undefined;
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
  const known = findings ?? message.priorFindings ?? {};
  const refused = Object.values(known).find(canBePropagation);
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      cause: 'propagating',
      requestId: refused?.requestId ?? null,
      nextCheckAt,
      // A quiet period is not an outage, so the time limit for giving up starts over.
      firstDeferredAt: null,
      priorFindings: filterFindings(known, (finding) => finding.verdict !== 'skipped' && !canBePropagation(finding)),
    },
    mailbox: { status: 'waiting', nextCheckAt, ...(findings && { checks: asPropagating(findings) }) },
  });
}

function filterFindings(findings: Findings, isWanted: (finding: ProbeFinding) => boolean): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, finding]) => isWanted(finding)));
}

/** What the customer sees while the row waits: no verdict yet for a probe whose grant may be propagating. */
function asPropagating(findings: Findings): Findings {
  const masked: Findings = {};
  for (const [probe, finding] of Object.entries(findings) as [Probe, ProbeFinding][]) {
    const { denial: _internal, detail: _outdated, ...rest } = finding;
    masked[probe] = canBePropagation(finding) ? { ...rest, verdict: 'inconclusive', cause: 'propagating' } : finding;
  }
  return masked;
}

/** Exponential with full jitter, from one second to one minute, so that tries that failed together spread out. */
function backOff(tries: number, baseMs: number): number {
  const ceiling = Math.min(SHORT_WAIT_MAX_MS, baseMs * 2 ** Math.min(tries, 10));
  return Math.max(1000, Math.random() * ceiling);
}
