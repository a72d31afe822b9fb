import { causes } from '../causes/causes.ts';
import { classify, concernsConnection, isWaitCause, type WaitCause } from '../causes/classify.ts';
import { hintsOf } from '../causes/denial.ts';
import { denialCodes } from '../causes/graph-codes.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { ConnectionFinding, Findings, Probe, ProbeFinding } from '../causes/verdict.ts';
import type { Answer } from './graph-answer.ts';
import type { Answers } from './graph-mail.ts';

export interface Wait {
  cause: WaitCause;
  seconds?: number;
  requestId?: string;
  microsoftCode?: string;
}

/** What Graph's answers come to: what is known, what has to wait, and what concerns the whole connection. */
export interface Judged {
  findings: Findings;
  wait?: Wait;
  connection?: ConnectionFinding;
}

/** Proof that the app may send: the message was refused for nothing but its missing recipients. */
const SEND_PASS = { status: 400, code: 'ErrorInvalidRecipients' };
/** A move takes hours; asking every minute helps nobody. */
const MOVING_SECONDS = 3600;

/**
 * Judges the answers about one mailbox, each permission for itself.
 *
 * A plain denial says nothing about the whole connection, whatever explains it best: with RBAC for Applications other
 * mailboxes may pass all the same.
 *
 * `sent` tells whom the message of the send probe was for: with nobody to send it to, `202` is an incident. `shown` is what
 * earlier attempts have priorFindings: a probe that passed then got into the mailbox.
 */
export function judgeAnswers(
  answers: Answers,
  roles: readonly string[],
  now: Date,
  { sent = 'toNobody', priorFindings = {} }: { sent?: 'toNobody' | 'toItself'; priorFindings?: Findings } = {},
): Judged {
  const judged: Judged = { findings: {} };
  const mailboxOpened =
    answers.inbox.kind === 'accepted' ||
    answers.draft?.kind === 'accepted' ||
    Object.values(priorFindings).some(({ verdict }) => verdict === 'passed') ||
    (answers.send !== undefined && isSendPass(answers.send));
  if (answers.draft) judge(judged, 'graph.readWrite', answers.draft, { roles, mailboxOpened, now });
  // What was sent to the mailbox itself is judged by whether it arrives; a refusal is a refusal like any other.
  if (answers.send && (sent === 'toNobody' || answers.send.kind === 'refused')) {
    if (answers.send.kind === 'accepted') {
      judged.connection = finding('send_probe_delivered', now, answers.send.requestId);
    } else if (sent === 'toNobody' && isSendPass(answers.send)) {
      judged.findings['graph.send'] = passed(now, answers.send.refusal.requestId);
    } else {
      judge(judged, 'graph.send', answers.send, { roles, mailboxOpened, now });
    }
  }
  return judged;
}

interface Context {
  roles: readonly string[];
  mailboxOpened: boolean;
  now: Date;
}

function judge(judged: Judged, probe: Probe, answer: Answer<unknown>, context: Context): void {
  const { now } = context;
  if (answer.kind === 'accepted') {
    judged.findings[probe] = passed(now, answer.requestId);
    return;
  }
  if (answer.kind === 'lost') {
    judged.wait = longer(judged.wait, {
      cause: 'microsoft_unavailable',
      ...(answer.requestId !== undefined && { requestId: answer.requestId }),
    });
    return;
  }
  const { refusal } = answer;
  const cause = classify(refusal, { probe, roles: context.roles, mailboxOpened: context.mailboxOpened });
  if (isWaitCause(cause)) {
    judged.wait = longer(judged.wait, waitFor(cause, refusal));
  } else if (concernsConnection(cause) && !denialCodes.has(refusal.code)) {
    judged.connection ??= finding(cause, now, refusal.requestId, refusal.code);
  } else {
    judged.findings[probe] = {
      ...failed(cause, now),
      ...traces(refusal),
      ...(denialCodes.has(refusal.code) &&
        refusal.status < 500 && { denial: hintsOf(refusal, probe, context.roles, context.mailboxOpened) }),
    };
  }
}

export function waitFor(cause: WaitCause, refusal: Refusal): Wait {
  const seconds = refusal.retryAfterSeconds ?? (cause === 'mailbox_moving' ? MOVING_SECONDS : undefined);
  return { cause, ...(seconds !== undefined && { seconds }), ...traces(refusal) };
}

/**
 * Of two reasons to wait the one that lasts longer; a time that Microsoft named counts more than none. A move lasts for
 * hours and may end in giving up: what else is open is asked before that.
 */
export function longer(one: Wait | undefined, other: Wait): Wait {
  if (!one) return other;
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

function failed(cause: ReturnType<typeof classify>, now: Date): ProbeFinding {
  return { verdict: verdictOf(cause), cause, checkedAt: now };
}

function traces({ code, requestId }: Refusal) {
  return { ...(code !== '' && { microsoftCode: code }), ...(requestId !== undefined && { requestId }) };
}

export function finding(
  cause: ReturnType<typeof classify>,
  seenAt: Date,
  requestId: string | undefined,
  microsoftCode?: string,
): ConnectionFinding {
  return {
    cause,
    detail: causes[cause].sentence,
    seenAt,
    ...(requestId !== undefined && { requestId }),
    ...(microsoftCode ? { microsoftCode } : {}),
  };
}

function verdictOf(cause: ReturnType<typeof classify>) {
  return causes[cause].verdict;
}
