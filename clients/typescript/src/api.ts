import type { Client } from 'openapi-fetch';
import { MusterError } from './muster-error.ts';
import { retryAfterMs } from './retry-after.ts';
import type { paths } from './schema.ts';
import type { Send } from './sender.ts';
import type { Problem } from './types.ts';

/** What the functions of a resource are made of. */
export interface Api {
  raw: Client<paths>;
  send: Send;
}

export interface RequestOptions {
  /** Ends the call, its retries and its waiting. The call then rejects with the reason of the signal. */
  signal?: AbortSignal;
}

export interface PostOptions extends RequestOptions {
  /**
   * A key of your own, if a repetition after a crash of your program must not do the work twice. Without it, each call
   * has a new key, which protects its retries.
   */
  idempotencyKey?: string;
}

export interface PageOptions extends RequestOptions {
  /** How many items one request reads, at most 500. */
  pageSize?: number;
}

/** The options of one call, as openapi-fetch takes them. */
export function initOf({ signal, idempotencyKey }: PostOptions) {
  return {
    ...(signal && { signal }),
    ...(idempotencyKey !== undefined && { headers: { 'Idempotency-Key': idempotencyKey } }),
  };
}

interface Call<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * Resolves to the body of a successful answer.
 *
 * @throws MusterError for every other answer
 */
export async function dataOf<Data>(call: Promise<Call<Data>>): Promise<Data> {
  const { data, error, response } = await answered(call);
  if (response.ok) return data as Data;
  throw errorOf(error, response);
}

/** Resolves to any answer of the API. What does not read as one becomes a MusterError. */
export async function answered<Data>(call: Promise<Call<Data>>): Promise<Call<Data>> {
  try {
    return await call;
  } catch (error) {
    // openapi-fetch parses the body. The message of a SyntaxError quotes it.
    if (error instanceof SyntaxError) throw unexpectedAnswer(undefined);
    throw error;
  }
}

export function errorOf(error: unknown, response: Response): MusterError {
  const { status } = response;
  const askedMs = retryAfterMs(response.headers);
  const retryAfterSeconds = askedMs === undefined ? undefined : Math.ceil(askedMs / 1_000);
  if (!isProblem(error)) return unexpectedAnswer(status, retryAfterSeconds);
  const { detail, title, code = 'server_error' } = error;
  return new MusterError(detail ?? title, { code, status, problem: error, retryAfterSeconds });
}

function unexpectedAnswer(status: number | undefined, retryAfterSeconds?: number): MusterError {
  return new MusterError('This is not an answer of the Muster API. Check the `url` of the client.', {
    code: 'unexpected_answer',
    status,
    retryAfterSeconds,
  });
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'title' in error && 'requestId' in error;
}

/**
 * Makes a POST whose answer has a field that the API shows once. If that answer is lost, the retry gets a replay
 * without the field. What was made is then of no use, and `makeAgain` makes it anew, with a new key.
 *
 * @throws MusterError `already_shown` if the key is the caller's own
 */
export async function postShownOnce<Field extends string, Answer extends { [F in Field]?: string }>(
  field: Field,
  { idempotencyKey }: PostOptions,
  post: () => Promise<Answer>,
  makeAgain: (lost: Answer) => Promise<Answer>,
): Promise<Answer & Record<Field, string>> {
  const isShown = (answer: Answer): answer is Answer & Record<Field, string> => answer[field] !== undefined;
  const first = await post();
  if (isShown(first)) return first;
  if (idempotencyKey === undefined) {
    const second = await makeAgain(first);
    if (isShown(second)) return second;
  }
  throw new MusterError(`The API showed \`${field}\` once, in its first answer to this idempotency key.`, {
    code: 'already_shown',
  });
}
