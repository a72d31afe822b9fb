import { type CauseCode, causes } from '../causes/causes.ts';
import { classify, concernsConnection, isWaitCause } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { Probe } from '../causes/verdict.ts';
import type { Answer } from './graph-answer.ts';
import { finding, type Judged, waitFor } from './judge-answers.ts';

/** "Authenticated but not connected" has passing causes too: it counts once it has come again. */
const TRIES_BEFORE_DISABLED = 2;

/**
 * Judges what came of a mailbox by IMAP or SMTP.
 *
 * @param tries how many tries there were before this one
 */
export function judgeProtocol(probe: Probe, answer: Answer, now: Date, tries: number): Judged {
  switch (answer.kind) {
    case 'accepted':
      return { findings: { [probe]: { verdict: 'passed', checkedAt: now } } };
    case 'lost':
      return { findings: {}, wait: { cause: 'microsoft_unavailable' } };
    case 'refused':
      return judgeRefusal(probe, answer.refusal, now, tries);
  }
}

function judgeRefusal(probe: Probe, refusal: Refusal, now: Date, tries: number): Judged {
  const cause: CauseCode = classify(refusal);
  if (isWaitCause(cause)) return { findings: {}, wait: waitFor(cause, refusal) };
  if (cause === 'imap_disabled' && tries < TRIES_BEFORE_DISABLED) {
    return { findings: {}, wait: waitFor('microsoft_unavailable', refusal) };
  }
  if (concernsConnection(cause)) {
    return { findings: {}, connection: finding(cause, now, refusal.requestId, refusal.code) };
  }
  const { verdict } = causes[cause];
  const microsoftCode = [refusal.status || '', refusal.code].join(' ').trim();
  return { findings: { [probe]: { verdict, cause, checkedAt: now, ...(microsoftCode && { microsoftCode }) } } };
}
