/** Every way the product says no. A new code does not compile until the edge has named its status and its remedy. */
export type ErrorCode =
  | 'validation_failed'
  | 'malformed_request'
  | 'file_empty'
  | 'file_not_text'
  | 'file_malformed'
  | 'file_no_address_column'
  | 'customer_required'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'connection_not_ready'
  | 'slot_limit_reached'
  | 'wrong_state'
  | 'idempotency_in_progress'
  | 'precondition_failed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'credentials_rejected'
  | 'idempotency_key_reused'
  | 'rate_limited'
  | 'microsoft_throttled'
  | 'microsoft_unavailable'
  | 'storage_unavailable'
  | 'vault_unavailable';

export interface FieldError {
  /** Where in the request: `clientSecret`, `mailboxes.3.address`. */
  path: string;
  message: string;
}

export interface DomainErrorOptions {
  /** What really happened. Logged, never sent. */
  cause?: unknown;
  /** Ids that help an operator find the row. Logged, never sent, never secret. */
  context?: Record<string, string | number>;
  /** Which inputs were wrong. Sent, so that the caller can mend them all in one go. */
  fields?: readonly FieldError[];
  /** How long the other side asked us to wait. Sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** Further members of the problem, such as `needed` and `free`, or a `cause` with its `fix` and `link`. Sent. */
  members?: Record<string, string | number>;
}

/**
 * A refusal the product understands and can explain.
 *
 * `code` is the contract; `detail` is written for the customer and is safe to show. What an operator needs travels in
 * `cause` and `context`, which stay on our side. Anything thrown that is not a DomainError is a defect.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly context: Record<string, string | number>;
  readonly fields: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;
  readonly members: Record<string, string | number>;

  constructor(code: ErrorCode, detail: string, options: DomainErrorOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.context = options.context ?? {};
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.members = options.members ?? {};
  }
}

/** Whether waiting can cure it: throttling, and parts of ours or Microsoft's that are away. */
export function isWeather(error: unknown): error is DomainError {
  return error instanceof DomainError && WEATHER.has(error.code);
}

const WEATHER: ReadonlySet<ErrorCode> = new Set([
  'rate_limited',
  'microsoft_throttled',
  'microsoft_unavailable',
  'storage_unavailable',
  'vault_unavailable',
]);
