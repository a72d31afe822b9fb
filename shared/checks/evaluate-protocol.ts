import { type CauseCode, causes } from '../causes/causes.ts';
import { classify, isConnectionCause, isWaitCause } from '../causes/classify.ts';
import { connectionFinding } from '../causes/findings.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { ProtocolProbe } from '../causes/verdict.ts';
import type { Answer } from './answer.ts';
import { type Evaluation, toWait } from './evaluate-answers.ts';

/** "Authenticated but not connected" can also be temporary, so it counts only after this many tries. */
const TRIES_BEFORE_DISABLED = 2;

/**
 * Turns the answer of the IMAP or SMTP probe into a finding.
 *
 * @param tries the number of tries before this one
 */
export function evaluateProtocol(probe: ProtocolProbe, answer: Answer, now: Date, tries: number): Evaluation {
  switch (answer.kind) {
    case 'accepted':
      return { findings: { [probe]: { verdict: 'passed', checkedAt: now } } };
    case 'lost':
      return { findings: {}, wait: { cause: 'microsoft_unavailable' } };
    case 'refused':
      return evaluateRefusal(probe, answer.refusal, now, tries);
  }
}

function evaluateRefusal(probe: ProtocolProbe, refusal: Refusal, now: Date, tries: number): Evaluation {
  const cause: CauseCode = classify(refusal);
  if (isWaitCause(cause)) return { findings: {}, wait: toWait(cause, refusal) };
  if (cause === 'imap_disabled' && tries < TRIES_BEFORE_DISABLED) {
    return { findings: {}, wait: toWait('microsoft_unavailable', refusal) };
  }
  if (isConnectionCause(cause)) {
    return { findings: {}, connection: connectionFinding(cause, now, refusal.requestId, refusal.code) };
  }
  const { verdict } = causes[cause];
  const responseCode = refusal.innerCode ? `[${refusal.innerCode}]` : '';
  const microsoftCode = [refusal.status || '', refusal.code, responseCode].filter(Boolean).join(' ');
  return { findings: { [probe]: { verdict, cause, checkedAt: now, ...(microsoftCode && { microsoftCode }) } } };
}
