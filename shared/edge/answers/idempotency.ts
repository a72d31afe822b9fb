import { createHash, randomUUID } from 'node:crypto';
import type { AnswerMemory, AnswerRecord } from '../../kernel/answer-memory.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { FieldFaults } from '../../kernel/field-faults.ts';
import type { Log } from '../../kernel/log.ts';
import type { Answer } from './answer.ts';

export interface IdempotencyDeps {
  answers: AnswerMemory;
  clock: Clock;
}

export interface Attempt {
  owner: string;
  /** The customer that the request names in its path. */
  customerId?: string | undefined;
  id: string;
  /** The body's fingerprint, if the body is read before the work begins. */
  fingerprint?: string;
  /** Reads a streamed body to its end, to compare it with the first request's body. */
  drain(): Promise<string | undefined>;
  /** The fingerprint after the work; `undefined` if the body was not read to its end. */
  fingerprintAfterwards(): string | undefined;
  /** How long the first request may take. If it dies, its key can be used again after this time. */
  lockMs: number;
  rememberedMs: number;
  /** Top-level fields of the answer that are sent only once. */
  redact: readonly string[];
}

/** Returns the key, if one was sent. An invalid one is added to `faults`. */
export function readIdempotencyKey(header: string | null, faults: FieldFaults): string | undefined {
  if (header === null) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  faults.add('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  return undefined;
}

export function attemptId(method: string, path: string, key: string): string {
  return createHash('sha256').update(`${method}\n${path}\n${key}`).digest('hex');
}

/**
 * Does the work for the first request with a key, and replays its answer for every later one.
 *
 * The record is written before the work begins, so only one of two concurrent requests does the work. Not stored are
 * answers that ask the caller to try again (5xx, 429, and refusals with `Retry-After`), and a refusal before the end of a
 * streamed body, which has changed nothing. The record itself stays, so that a retry knows when the first request began. `work` must not throw.
 *
 * @throws DomainError `idempotency_key_reused`, `idempotency_in_progress`
 */
export async function answerOnce(
  deps: IdempotencyDeps,
  attempt: Attempt,
  log: Log,
  work: (begunAt: Date) => Promise<Answer>,
): Promise<Answer> {
  const begun = await begin(deps, attempt);
  if ('replay' in begun) return begun.replay;
  const answer = await work(begun.record.begunAt);
  const fingerprint = attempt.fingerprint ?? attempt.fingerprintAfterwards();
  const isFinal = !asksToRetry(answer) && answer.stream === undefined;
  try {
    if (isFinal && fingerprint !== undefined) {
      const customerId = attempt.customerId ?? createdCustomer(answer);
      const record = {
        ...begun.record,
        ...(customerId !== undefined && { customerId }),
        fingerprint,
        answer: withoutCredentials(answer, attempt.redact),
      };
      const storedTag = await deps.answers.update(record, begun.tag);
      if (storedTag === undefined) log('warn', 'idempotency_lock_expired');
    } else {
      const unlocked = {
        ...begun.record,
        lockedUntil: deps.clock.now(),
        ...(fingerprint !== undefined && { fingerprint }),
      };
      await deps.answers.update(unlocked, begun.tag);
    }
  } catch (error) {
    // The work is done, so the caller gets the answer although it cannot be replayed later.
    log('warn', 'idempotency_answer_not_stored', { error });
  }
  return answer;
}

function asksToRetry({ status, headers }: Answer): boolean {
  return status >= 500 || status === 429 || (status >= 400 && headers['retry-after'] !== undefined);
}

/** The ID of the customer that the request has created, if it has. */
function createdCustomer({ headers }: Answer): string | undefined {
  return /^\/v1\/customers\/(\w+)$/.exec(headers.location ?? '')?.[1];
}

type Begun = { replay: Answer } | { record: AnswerRecord; tag: string };

async function begin(deps: IdempotencyDeps, attempt: Attempt): Promise<Begun> {
  const holder = randomUUID();
  for (;;) {
    const now = deps.clock.now();
    const record: AnswerRecord = {
      owner: attempt.owner,
      id: attempt.id,
      begunAt: now,
      holder,
      lockedUntil: new Date(now.getTime() + attempt.lockMs),
      expiresAt: new Date(now.getTime() + Math.max(attempt.rememberedMs, attempt.lockMs)),
      ...(attempt.fingerprint !== undefined && { fingerprint: attempt.fingerprint }),
    };
    const inserted = await deps.answers.insert(record);
    if (inserted !== undefined) return { record, tag: inserted };

    const found = await deps.answers.get(attempt.owner, attempt.id);
    if (!found) continue;
    const { value: first, tag } = found;
    // The SDK repeats a write whose answer was lost, and the repeated one fails.
    if (first.holder === holder) return { record: first, tag };
    if (first.expiresAt > now) {
      const replay = await findReplay(first, attempt, now);
      if (replay) return { replay };
      record.begunAt = first.begunAt;
    }
    const taken = await deps.answers.update(record, tag);
    if (taken !== undefined) return { record, tag: taken };
  }
}

/** Resolves to the answer to replay, or to `undefined` if the first request has died. */
async function findReplay(first: AnswerRecord, attempt: Attempt, now: Date): Promise<Answer | undefined> {
  if (first.answer === undefined && first.lockedUntil > now && !differs(first.fingerprint, attempt.fingerprint)) {
    throw new DomainError(
      'idempotency_in_progress',
      'The first request with this Idempotency-Key is still running. Try again in a moment.',
      {
        retryAfterSeconds: 2,
      },
    );
  }
  const fingerprint = attempt.fingerprint ?? (first.answer ? await attempt.drain() : undefined);
  if (differs(first.fingerprint, fingerprint)) {
    throw new DomainError(
      'idempotency_key_reused',
      'This Idempotency-Key was used with a different body. Use a new key for a new request.',
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
