import { classify } from '../../causes/classify.ts';
import type { Refusal } from '../../causes/refusal.ts';
import { isBlockedByPolicy } from '../../causes/wording.ts';
import type { ScopeFinding, ScopePermission } from '../../connections/grants/scope-check.ts';
import type { Answer } from '../answer.ts';
import type { EffectlessAnswers } from './off-limits-mail.ts';

/** A call on something that does not exist came through to the mailbox, which has no such item. */
const ABSENT = 'ErrorItemNotFound';
/** What a message without recipients gets from an app that may send. */
const NO_RECIPIENTS = 'ErrorInvalidRecipients';
/**
 * The refusals of the app itself. Not `extensionError`, which Microsoft also uses for mailboxes that are on premises: that
 * says nothing about a scope.
 */
const REFUSALS: ReadonlySet<string> = new Set(['ErrorAccessDenied', 'NoPermissionsInAccessToken']);

/** Turns Graph's answers into what was seen of reading, writing and sending. */
export function readRights(answers: EffectlessAnswers): {
  read: ScopeFinding;
  write: ScopeFinding;
  send: ScopeFinding;
} {
  const read = readAnswer('Mail.Read', answers.read);
  return { read, write: readWrite(answers.write, read), send: readAnswer('Mail.Send', answers.send, ABSENT) };
}

/**
 * Mail.ReadWrite includes the right to read, so a mailbox that refuses reading refuses writing too. That decides where
 * Microsoft's answer does not: `ErrorItemNotFound` can also mean that the app is not permitted.
 */
function readWrite(answer: Answer, read: ScopeFinding): ScopeFinding {
  const write = readAnswer('Mail.ReadWrite', answer, ABSENT);
  const isTold = answer.kind === 'refused' && REFUSALS.has(answer.refusal.code);
  if (isTold || read.answer === 'allowed' || answer.kind === 'accepted') return write;
  const { cause: _cause, ...told } = write;
  if (read.answer === 'refused') return { ...told, answer: 'refused', ...(read.byPolicy && { byPolicy: true }) };
  return write.answer === 'allowed'
    ? { ...told, answer: 'inconclusive', cause: read.cause ?? 'unknown_refusal' }
    : write;
}

/** Turns the answer to a message without recipients into what was seen of sending. */
export function readSend(answer: Answer): ScopeFinding {
  return readAnswer('Mail.Send', answer, NO_RECIPIENTS);
}

/** Turns the answer of IMAP or SMTP into what was seen there. */
export function readProtocol(permission: 'IMAP.AccessAsApp' | 'SMTP.SendAsApp', answer: Answer): ScopeFinding {
  return readAnswer(permission, answer);
}

/** @param letThrough the code with which Microsoft refuses what was asked for, but not the app */
function readAnswer(permission: ScopePermission, answer: Answer, letThrough?: string): ScopeFinding {
  if (answer.kind === 'lost') {
    return { permission, answer: 'inconclusive', cause: 'microsoft_unavailable', ...idOf(answer) };
  }
  if (answer.kind === 'accepted') return { permission, answer: 'allowed', ...idOf(answer) };
  const { refusal } = answer;
  const ids = { ...(refusal.code && { microsoftCode: refusal.code }), ...idOf(refusal) };
  if (isRefused(refusal)) {
    return { permission, answer: 'refused', ...(isBlockedByPolicy(refusal) && { byPolicy: true }), ...ids };
  }
  if (refusal.code === letThrough) return { permission, answer: 'allowed', ...ids };
  return { permission, answer: 'inconclusive', cause: classify(refusal), ...ids };
}

function isRefused(refusal: Refusal): boolean {
  if (refusal.service === 'graph') return refusal.status < 500 && REFUSALS.has(refusal.code);
  const cause = classify(refusal);
  return cause === 'imap_access_missing' || cause === 'smtp_access_missing' || cause === 'send_as_denied';
}

function idOf({ requestId }: { requestId?: string }) {
  return requestId !== undefined ? { requestId } : {};
}
