import { MusterError } from './muster-error.ts';
import { retryAfterMs } from './retry-after.ts';
import { sleep } from './sleep.ts';

/** `globalThis.fetch`, or something that behaves like it. */
export type Fetch = (request: Request) => Promise<Response>;

export interface RetryOptions {
  /** How often a request is repeated. The default is 4; 0 never repeats. */
  max?: number;
  /** The longest wait before the first repetition. Each further one may wait twice as long. The default is 500. */
  baseMs?: number;
  /** The longest wait that the client chooses itself. The default is 20,000. */
  maxMs?: number;
}

/**
 * How the body of a request can be sent again: from a copy, from a file, or not at all because it is a stream.
 * A copy keeps the body in memory until the answer arrives, which is too much for a large file.
 */
export type Resend = 'copy' | Blob | 'never';

/** If the API asks for a longer wait, the caller decides. */
const RETRY_AFTER_MAX_MS = 60_000;
/** The API limits the rate, or something that it needs is unavailable. 502 and 504 are from the platform before it. */
const TRANSIENT_STATUSES = [429, 502, 503, 504];
/** Not `application/x-ndjson`: reports are streams. */
const JSON_TYPE = /^application\/(?:problem\+)?json\b/;
const WITHOUT_BODY = [204, 205, 304];

/**
 * Sends a request, and sends it again while the API is unavailable or limits the rate.
 *
 * Every POST gets an `Idempotency-Key`, the same in each attempt, so a repeated POST does its work once. All other
 * methods of the API can be repeated as they are.
 */
export function createSender(fetch: Fetch, { max = 4, baseMs = 500, maxMs = 20_000 }: RetryOptions) {
  return async function send(request: Request, resend: Resend = 'copy'): Promise<Response> {
    if (request.method === 'POST' && !request.headers.has('idempotency-key')) {
      request.headers.set('idempotency-key', crypto.randomUUID());
    }
    for (let retries = 0; ; retries++) {
      const isLast = resend === 'never' || retries >= max;
      // Full jitter, so that clients which failed together do not come back together.
      let waitMs = Math.random() * Math.min(maxMs, baseMs * 2 ** retries);
      try {
        const response = await readAnswer(await fetch(isLast ? fresh(request, resend) : copyOf(request, resend)));
        const askedMs = retryAfterMs(response.headers);
        if (isLast || !isTransient(response, askedMs) || (askedMs ?? 0) > RETRY_AFTER_MAX_MS) return response;
        waitMs += askedMs ?? 0;
      } catch (error) {
        if (request.signal.aborted) throw request.signal.reason;
        if (isLast) throw new MusterError('Muster did not answer.', { code: 'no_answer', cause: error });
      }
      await sleep(waitMs, request.signal);
    }
  };
}

export type Send = ReturnType<typeof createSender>;

const fresh = (request: Request, resend: Resend) =>
  resend instanceof Blob ? new Request(request, { body: resend }) : request;
const copyOf = (request: Request, resend: Resend) =>
  resend instanceof Blob ? new Request(request, { body: resend }) : request.clone();

function isTransient({ status }: Response, askedMs: number | undefined): boolean {
  // A repeated POST can overtake its first attempt. The API then answers 409 and says when to ask for the answer.
  return TRANSIENT_STATUSES.includes(status) || (status === 409 && askedMs !== undefined);
}

/** Reads a JSON answer to its end, so that a connection which breaks in the middle counts as a failed attempt. */
async function readAnswer(response: Response): Promise<Response> {
  const isJson = JSON_TYPE.test(response.headers.get('content-type') ?? '');
  if (!isJson || WITHOUT_BODY.includes(response.status)) return response;
  const { status, statusText, headers } = response;
  return new Response(await response.arrayBuffer(), { status, statusText, headers });
}
