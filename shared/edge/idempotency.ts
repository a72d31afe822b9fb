import { createHash } from 'node:crypto';
import type { AnswerMemory, AnswerRecord } from '../kernel/answer-memory.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Answer } from './answer.ts';

export interface IdempotencyDeps {
  answers: AnswerMemory;
  clock: Clock;
}

export interface Attempt {
  owner: string;
  id: string;
  /** The body's fingerprint, where the body is at hand before the work begins. */
  fingerprint?: string;
  /** Reads a streamed body to its end, only to compare it with the first one. */
  drain(): Promise<string | undefined>;
  /** The fingerprint once the work is done; `undefined` when the body was not read to its end. */
  fingerprintAfterwards(): string | undefined;
  /** How long the first request may take. When it has died, its key is free again after that. */
  lockMs: number;
  rememberedMs: number;
  /** Top-level fields of the answer that are given once and never again. */
  redact: readonly string[];
}

/** @throws DomainError `validation_failed` */
export function readIdempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new DomainError('validation_failed', 'The header Idempotency-Key is malformed.', {
    fields: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }],
  });
}

export function attemptId(method: string, path: string, key: string): string {
  return createHash('sha256').update(`${method}\n${path}\n${key}`).digest('hex');
}

/**
 * Does the work for the first request with a key, and gives its answer again to every later one.
 *
 * The record is there before the work begins, so of two requests at once only one works. Answers that say "not now"
 * (5xx, 429) are not remembered; nor is a refusal given before the end of a streamed body, since it left nothing
 * behind. `work` must not throw.
 *
 * @throws DomainError `idempotency_key_reused`, `idempotency_in_progress`
 */
export async function answerOnce(
  deps: IdempotencyDeps,
  attempt: Attempt,
  log: Log,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const begun = await begin(deps, attempt);
  if ('replay' in begun) return begun.replay;
  const answer = await work();
  const fingerprint = attempt.fingerprint ?? attempt.fingerprintAfterwards();
  const isFinal = answer.status < 500 && answer.status !== 429 && answer.stream === undefined;
  try {
    if (isFinal && fingerprint !== undefined) {
      const record = { ...begun.record, fingerprint, answer: withoutCredentials(answer, attempt.redact) };
      const isKept = await deps.answers.update(record, begun.tag);
      if (isKept === undefined) log('warn', 'idempotency_lock_outlived');
    } else {
      await deps.answers.remove(begun.record, begun.tag);
    }
  } catch (error) {
    // The work is done and its answer true; all that is lost is the memory of it.
    log('warn', 'idempotency_not_remembered', { error });
  }
  return answer;
}

type Begun = { replay: Answer } | { record: AnswerRecord; tag: string };

async function begin(deps: IdempotencyDeps, attempt: Attempt): Promise<Begun> {
  for (;;) {
    const now = deps.clock.now();
    const record: AnswerRecord = {
      owner: attempt.owner,
      id: attempt.id,
      lockedUntil: new Date(now.getTime() + attempt.lockMs),
      expiresAt: new Date(now.getTime() + Math.max(attempt.rememberedMs, attempt.lockMs)),
      ...(attempt.fingerprint !== undefined && { fingerprint: attempt.fingerprint }),
    };
    const inserted = await deps.answers.insert(record);
    if (inserted !== undefined) return { record, tag: inserted };

    const found = await deps.answers.get(attempt.owner, attempt.id);
    if (!found) continue;
    const { value: first, tag } = found;
    if (first.expiresAt > now) {
      const replay = await compare(first, attempt, now);
      if (replay) return { replay };
    }
    const taken = await deps.answers.update(record, tag);
    if (taken !== undefined) return { record, tag: taken };
  }
}

/** Resolves to the answer to give again, or to `undefined` when the first request has died. */
async function compare(first: AnswerRecord, attempt: Attempt, now: Date): Promise<Answer | undefined> {
  if (first.answer === undefined && first.lockedUntil > now && !differs(first.fingerprint, attempt.fingerprint)) {
    throw new DomainError('idempotency_in_progress', 'The first request with this key is still running.', {
      retryAfterSeconds: 2,
    });
  }
  const fingerprint = attempt.fingerprint ?? (first.answer ? await attempt.drain() : undefined);
  if (differs(first.fingerprint, fingerprint)) {
    throw new DomainError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another body before. Use a new key for a new request.',
    );
  }
  if (!first.answer) return undefined;
  const { status, headers, text } = first.answer;
  return { status, headers: { ...headers, 'idempotency-replayed': 'true' }, ...(text !== undefined && { text }) };
}

function differs(first: string | undefined, second: string | undefined): boolean {
  return first !== undefined && second !== undefined && first !== second;
}

function withoutCredentials(answer: Answer, redact: readonly string[]) {
  const { status, headers, text } = answer;
  if (text === undefined) return { status, headers };
  if (redact.length === 0 || status >= 300) return { status, headers, text };
  const body = JSON.parse(text) as Record<string, unknown>;
  for (const field of redact) delete body[field];
  return { status, headers, text: JSON.stringify(body) };
}
