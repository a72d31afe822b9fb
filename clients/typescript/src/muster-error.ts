import type { Problem } from './types.ts';

/** Codes that this client adds to those of the API. */
type ClientErrorCode =
  /** No answer arrived: the network failed, or the server is down. `cause` is the error of `fetch`. */
  | 'no_answer'
  /** An answer that is not from the API, for example from a proxy. */
  | 'unexpected_answer'
  /** An error of the server (status 500). `requestId` identifies it. */
  | 'server_error'
  /** `waitForImport` reached its `timeoutMs`. */
  | 'wait_timeout'
  /** The answer to your own `idempotencyKey` was a replay, which leaves out what the API shows once. */
  | 'already_shown';

/** The API may add codes, so handle the ones you do not know. */
export type MusterErrorCode = NonNullable<Problem['code']> | ClientErrorCode | (string & {});

interface Details {
  code: MusterErrorCode;
  status?: number | undefined;
  problem?: Problem | undefined;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/**
 * Every refusal and every failure of a call, except for an abort, which rejects with the reason of your signal.
 * It never holds your API key, nor the body that you sent.
 */
export class MusterError extends Error {
  override readonly name = 'MusterError';
  /** Stable, for programs. */
  readonly code: MusterErrorCode;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** What went wrong this time, and what to do, in a sentence for people. */
  readonly detail: string;
  /** Every wrong field of the request, at most 100. */
  readonly errors: readonly { path: string; message: string }[];
  /** Give this ID to Muster's support. */
  readonly requestId: string | undefined;
  /** When the API expects that trying again can help. */
  readonly retryAfterSeconds: number | undefined;
  /** The whole problem, for the fields that only some codes have, such as `needed`, `free`, `line` and `fix`. */
  readonly problem: Problem | undefined;

  constructor(detail: string, { code, status, problem, retryAfterSeconds, cause }: Details) {
    const facts = [status, code, problem && `request ${problem.requestId}`].filter((fact) => fact !== undefined);
    super(`${detail} (${facts.join(', ')})`, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.errors = problem?.errors ?? [];
    this.requestId = problem?.requestId;
    this.retryAfterSeconds = retryAfterSeconds;
    this.problem = problem;
  }
}
