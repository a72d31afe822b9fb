import { fitsPropagation } from '../../causes/denial.ts';
import type { Findings, ProbeFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { CheckMessage, ImportQueues } from '../import-queues.ts';
import type { Settler } from '../ledger/settler.ts';
import { sendCleanupForLateArrival } from './cleanup-message.ts';
import { rowLocationOf } from './row-location.ts';
import { fillMissingFindings, rowResultOf } from './row-result.ts';

export interface WaitDeps {
  settler: Settler;
  importQueues: ImportQueues;
  clock: Clock;
  limits: CheckLimits;
}

export interface CheckLimits {
  /** How long a mailbox may be throttled or out of reach before it ends as inconclusive. */
  giveUpAfterMs: number;
  /** The first wait when Microsoft names none; doubled each time, with full jitter. */
  retryBaseMs: number;
  /** So long after a try the last look for what it may have left; longer than a check takes. */
  cleanupAfterMs: number;
}

/** A wait up to this long is a delayed message; a longer one is written into the row, and no message stays behind. */
export const SHORT_WAIT_MS = 60_000;

/** A Microsoft that answers some of what it is asked is not away: the pauses do not grow beyond those of this try. */
const ANSWERED_TRIES = 2;

/** Microsoft asked for time, or was away: the same is asked again later, until that has gone on for too long. */
export async function waitForMicrosoft(
  deps: WaitDeps,
  message: CheckMessage,
  connection: Connection,
  outcome: Extract<CheckOutcome, { kind: 'wait' }>,
): Promise<void> {
  const now = deps.clock.now();
  const since = message.since ? new Date(message.since) : now;
  const tries = outcome.answered ? Math.min(message.tries, ANSWERED_TRIES) : message.tries;
  const delayMs = outcome.seconds === undefined ? backOff(tries, deps.limits.retryBaseMs) : outcome.seconds * 1000;
  if (now.getTime() + delayMs - since.getTime() > deps.limits.giveUpAfterMs) {
    const findings = fillMissingFindings(outcome.priorFindings, connection.probes, {
      ...outcome,
      verdict: 'inconclusive',
      at: now,
    });
    await sendCleanupForLateArrival(deps.importQueues, message, findings, deps.limits.cleanupAfterMs);
    await deps.settler.settle({ ...rowLocationOf(message), ...rowResultOf(findings, 'unknown') });
    return;
  }
  if (delayMs <= SHORT_WAIT_MS) {
    await deps.importQueues.sendCheck(
      {
        ...message,
        tries: tries + 1,
        mayHaveLeftovers: true,
        since: since.toISOString(),
        priorFindings: outcome.priorFindings,
      },
      delayMs,
    );
    return;
  }
  const nextCheckAt = new Date(now.getTime() + delayMs);
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      cause: outcome.cause,
      nextCheckAt,
      since,
      priorFindings: outcome.priorFindings,
    },
    mailbox: { status: 'waiting', nextCheckAt },
  });
}

/**
 * Its grants are on their way: what was refused is asked again at the next step, and what passed is kept. Without
 * findings nothing was asked, because the connection keeps quiet.
 */
export async function waitForGrants(
  deps: WaitDeps,
  message: CheckMessage,
  findings: Findings | undefined,
  nextCheckAt: Date,
): Promise<void> {
  const seen = findings ?? message.priorFindings ?? {};
  const refused = Object.values(seen).find(fitsPropagation);
  await deps.settler.settle({
    ...rowLocationOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      cause: 'propagating',
      requestId: refused?.requestId ?? null,
      nextCheckAt,
      // Quiet time is no time in which Microsoft was away: that is counted anew.
      since: null,
      priorFindings: pick(seen, (finding) => finding.verdict !== 'skipped' && !fitsPropagation(finding)),
    },
    mailbox: { status: 'waiting', nextCheckAt, ...(findings && { checks: asPropagating(findings) }) },
  });
}

function pick(findings: Findings, wanted: (finding: ProbeFinding) => boolean): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, finding]) => wanted(finding)));
}

/** What the customer sees meanwhile: no verdict yet where grants may be under way. */
function asPropagating(findings: Findings): Findings {
  const priorFindings = Object.entries(findings).map(([probe, { denial: _kept, detail: _stale, ...finding }]) => [
    probe,
    fitsPropagation(findings[probe as keyof Findings] as ProbeFinding)
      ? { ...finding, verdict: 'inconclusive', cause: 'propagating' }
      : findings[probe as keyof Findings],
  ]);
  return Object.fromEntries(priorFindings) as Findings;
}

/** Exponential with full jitter, at least a second, at most a minute: never in step with others who met the same wall. */
function backOff(tries: number, baseMs: number): number {
  const ceiling = Math.min(SHORT_WAIT_MS, baseMs * 2 ** Math.min(tries, 10));
  return Math.max(1000, Math.random() * ceiling);
}
