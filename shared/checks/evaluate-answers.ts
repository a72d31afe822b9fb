import { type CauseCode, causes } from '../causes/causes.ts';
import { classify, isConnectionCause, isWaitCause, type WaitCause } from '../causes/classify.ts';
import { hintsOf } from '../causes/denial.ts';
import { connectionFinding } from '../causes/findings.ts';
import { denialCodes } from '../causes/graph-codes.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { ConnectionFinding, Findings, Probe, ProbeFinding } from '../causes/verdict.ts';
import type { Answer } from './answer.ts';
import type { Answers } from './graph-mail.ts';

/** Why and how long to wait before the next try. `seconds` is absent if Microsoft named no time. */
export interface Wait {
  cause: WaitCause;
  seconds?: number;
  requestId?: string;
  microsoftCode?: string;
}

/** What the answers of one try show: findings, a reason to wait, and a finding about the whole connection. */
export interface Evaluation {
  findings: Findings;
  wait?: Wait;
  connection?: ConnectionFinding;
}

/** Proves that the app may send: Microsoft refused the message only because it has no recipients. */
const SEND_PASS = { status: 400, code: 'ErrorInvalidRecipients' };
/** A move takes hours, so there is no point in asking every minute. */
const MOVING_SECONDS = 3600;

/**
 * Turns Graph's answers about one mailbox into findings. Each permission gets a verdict of its own.
 *
 * A denial never becomes a finding about the whole connection: with RBAC for Applications, other mailboxes may pass.
 *
 * @param sent whom the send probe addressed; if nobody, a `202` is a finding about the whole connection
 * @param priorFindings what earlier tries found; a probe that passed then has opened the mailbox
 */
export function evaluateAnswers(
  answers: Answers,
  roles: readonly string[],
  now: Date,
  { sent = 'toNobody', priorFindings = {} }: { sent?: 'toNobody' | 'toItself'; priorFindings?: Findings } = {},
): Evaluation {
  const evaluation: Evaluation = { findings: {} };
  const mailboxOpened =
    answers.inbox.kind === 'accepted' ||
    answers.draft?.kind === 'accepted' ||
    Object.values(priorFindings).some(({ verdict }) => verdict === 'passed') ||
    (answers.send !== undefined && isSendPass(answers.send));
  if (answers.draft) evaluate(evaluation, 'graph.readWrite', answers.draft, { roles, mailboxOpened, now });
  // A message to the mailbox itself passes only when it arrives, so only a refusal counts here.
  if (answers.send && (sent === 'toNobody' || answers.send.kind === 'refused')) {
    if (answers.send.kind === 'accepted') {
      evaluation.connection = connectionFinding('send_probe_delivered', now, answers.send.requestId);
    } else if (sent === 'toNobody' && isSendPass(answers.send)) {
      evaluation.findings['graph.send'] = passed(now, answers.send.refusal.requestId);
    } else {
      evaluate(evaluation, 'graph.send', answers.send, { roles, mailboxOpened, now });
    }
  }
  return evaluation;
}

interface EvaluationContext {
  roles: readonly string[];
  mailboxOpened: boolean;
  now: Date;
}

function evaluate(evaluation: Evaluation, probe: Probe, answer: Answer<unknown>, context: EvaluationContext): void {
  const { now } = context;
  if (answer.kind === 'accepted') {
    evaluation.findings[probe] = passed(now, answer.requestId);
    return;
  }
  if (answer.kind === 'lost') {
    evaluation.wait = longerWait(evaluation.wait, {
      cause: 'microsoft_unavailable',
      ...(answer.requestId !== undefined && { requestId: answer.requestId }),
    });
    return;
  }
  const { refusal } = answer;
  const cause = classify(refusal, { probe, roles: context.roles, mailboxOpened: context.mailboxOpened });
  if (isWaitCause(cause)) {
    evaluation.wait = longerWait(evaluation.wait, toWait(cause, refusal));
  } else if (isConnectionCause(cause) && !denialCodes.has(refusal.code)) {
    evaluation.connection ??= connectionFinding(cause, now, refusal.requestId, refusal.code);
  } else {
    evaluation.findings[probe] = {
      ...notPassed(cause, now),
      ...idsOf(refusal),
      ...(denialCodes.has(refusal.code) &&
        refusal.status < 500 && { denial: hintsOf(refusal, probe, context.roles, context.mailboxOpened) }),
    };
  }
}

export function toWait(cause: WaitCause, refusal: Refusal): Wait {
  const seconds = refusal.retryAfterSeconds ?? (cause === 'mailbox_moving' ? MOVING_SECONDS : undefined);
  return { cause, ...(seconds !== undefined && { seconds }), ...idsOf(refusal) };
}

/**
 * Of two waits, the longer one. A time that Microsoft named counts more than none. `mailbox_moving` gives way to any
 * other cause: a move takes hours and may end the retries, so the other probes are retried first.
 */
export function longerWait(one: Wait | undefined, other: Wait): Wait;
export function longerWait(one: Wait | undefined, other: Wait | undefined): Wait | undefined;
export function longerWait(one: Wait | undefined, other: Wait | undefined): Wait | undefined {
  if (!one || !other) return one ?? other;
  if ((one.cause === 'mailbox_moving') !== (other.cause === 'mailbox_moving')) {
    return one.cause === 'mailbox_moving' ? other : one;
  }
  return (other.seconds ?? -1) > (one.seconds ?? -1) ? other : one;
}

function isSendPass(answer: Answer): answer is Extract<Answer, { kind: 'refused' }> {
  return (
    answer.kind === 'refused' && answer.refusal.status === SEND_PASS.status && answer.refusal.code === SEND_PASS.code
  );
}

export function passed(now: Date, requestId: string | undefined): ProbeFinding {
  return { verdict: 'passed', checkedAt: now, ...(requestId !== undefined && { requestId }) };
}

function notPassed(cause: CauseCode, now: Date): ProbeFinding {
  return { verdict: causes[cause].verdict, cause, checkedAt: now };
}

function idsOf({ code, requestId }: Refusal) {
  return { ...(code !== '' && { microsoftCode: code }), ...(requestId !== undefined && { requestId }) };
}
