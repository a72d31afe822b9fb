import { fitsPropagation } from '../../causes/denial.ts';
import type { Findings, ProbeFinding } from '../../causes/verdict.ts';
import type { CheckOutcome } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { CheckMessage, ImportQueues } from '../import-queues.ts';
import type { Settler } from '../ledger/settler.ts';
import { lookForLateArrival } from './cleanup-message.ts';
import { placeOf } from './row-location.ts';
import { fillIn, fromFindings } from './row-result.ts';

export interface WaitNeeds {
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
  lastLookAfterMs: number;
}

/** A wait up to this long is a delayed message; a longer one is written into the row, and no message stays behind. */
export const SHORT_WAIT_MS = 60_000;

/** A Microsoft that answers some of what it is asked is not away: the pauses do not grow beyond those of this try. */
const ANSWERED_TRIES = 2;

/** Microsoft asked for time, or was away: the same is asked again later, until that has gone on for too long. */
export async function waitForMicrosoft(
  needs: WaitNeeds,
  message: CheckMessage,
  connection: Connection,
  outcome: Extract<CheckOutcome, { kind: 'wait' }>,
): Promise<void> {
  const now = needs.clock.now();
  const since = message.since ? new Date(message.since) : now;
  const tries = outcome.answered ? Math.min(message.tries, ANSWERED_TRIES) : message.tries;
  const delayMs = outcome.seconds === undefined ? backOff(tries, needs.limits.retryBaseMs) : outcome.seconds * 1000;
  if (now.getTime() + delayMs - since.getTime() > needs.limits.giveUpAfterMs) {
    const findings = fillIn(outcome.shown, connection.probes, { ...outcome, verdict: 'inconclusive', at: now });
    await lookForLateArrival(needs.importQueues, message, findings, needs.limits.lastLookAfterMs);
    await needs.settler.settle({ ...placeOf(message), ...fromFindings(findings, 'unknown') });
    return;
  }
  if (delayMs <= SHORT_WAIT_MS) {
    await needs.importQueues.sendCheck(
      { ...message, tries: tries + 1, again: true, since: since.toISOString(), shown: outcome.shown },
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

/**
 * Its grants are on their way: what was refused is asked again at the next step, and what passed is kept. Without
 * findings nothing was asked, because the connection keeps quiet.
 */
export async function waitForGrants(
  needs: WaitNeeds,
  message: CheckMessage,
  findings: Findings | undefined,
  nextCheckAt: Date,
): Promise<void> {
  const seen = findings ?? message.shown ?? {};
  const refused = Object.values(seen).find(fitsPropagation);
  await needs.settler.settle({
    ...placeOf(message),
    state: 'waiting',
    row: {
      attempt: message.attempt + 1,
      cause: 'propagating',
      requestId: refused?.requestId ?? null,
      nextCheckAt,
      // Quiet time is no time in which Microsoft was away: that is counted anew.
      since: null,
      shown: pick(seen, (finding) => finding.verdict !== 'skipped' && !fitsPropagation(finding)),
    },
    mailbox: { status: 'waiting', nextCheckAt, ...(findings && { checks: asPropagating(findings) }) },
  });
}

function pick(findings: Findings, wanted: (finding: ProbeFinding) => boolean): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, finding]) => wanted(finding)));
}

/** What the customer sees meanwhile: no verdict yet where grants may be under way. */
function asPropagating(findings: Findings): Findings {
  const shown = Object.entries(findings).map(([probe, { denial: _kept, detail: _stale, ...finding }]) => [
    probe,
    fitsPropagation(findings[probe as keyof Findings] as ProbeFinding)
      ? { ...finding, verdict: 'inconclusive', cause: 'propagating' }
      : findings[probe as keyof Findings],
  ]);
  return Object.fromEntries(shown) as Findings;
}

/** Exponential with full jitter, at least a second, at most a minute: never in step with others who met the same wall. */
function backOff(tries: number, baseMs: number): number {
  const ceiling = Math.min(SHORT_WAIT_MS, baseMs * 2 ** Math.min(tries, 10));
  return Math.max(1000, Math.random() * ceiling);
}
