/**
 * Every error that the product reports, and whether waiting helps. A new code does not compile until its status and
 * title are in `edge/answers/problem.ts`, and its explanation in `edge/answers/problem-help.ts`.
 */
const waitingHelps = {
  validation_failed: false,
  malformed_request: false,
  file_empty: false,
  file_not_text: false,
  file_malformed: false,
  file_no_address_column: false,
  customer_required: false,
  unauthenticated: false,
  forbidden: false,
  not_found: false,
  gone: false,
  method_not_allowed: false,
  conflict: false,
  connection_not_ready: false,
  slot_limit_reached: false,
  quota_reached: false,
  wrong_state: false,
  nothing_to_retry: false,
  directory_unavailable: false,
  nothing_selected: false,
  selection_incomplete: false,
  upload_in_progress: false,
  upload_used: false,
  idempotency_in_progress: false,
  precondition_failed: false,
  payload_too_large: false,
  unsupported_media_type: false,
  credentials_rejected: false,
  idempotency_key_reused: false,
  rate_limited: false,
  microsoft_throttled: true,
  microsoft_unavailable: true,
  storage_unavailable: true,
  vault_unavailable: true,
} as const satisfies Record<string, boolean>;

export type ErrorCode = keyof typeof waitingHelps;
export const errorCodes = Object.keys(waitingHelps) as ErrorCode[];

/** How many wrong fields an error names. It counts the others. */
export const FIELDS_MAX = 100;

export interface FieldError {
  /** Where in the request: `clientSecret`, `mailboxes.3.address`. */
  path: string;
  message: string;
}

export interface DomainErrorOptions {
  /** The original error. Logged, never sent. */
  cause?: unknown;
  /** IDs that help an operator find the record. Logged, never sent, never secret. */
  context?: Record<string, string | number>;
  /** Every field that is wrong, so that the caller can fix them all in one go. Sent. */
  fields?: readonly FieldError[];
  /** How many more fields are wrong. Sent. */
  fieldsOmitted?: number;
  /** How long the server that we depend on asked us to wait. Sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** More members of the problem, such as `needed` and `free`, or a `cause` with its `fix` and `link`. Sent. */
  members?: Record<string, string | number>;
}

/**
 * An error that the product understands and can explain: a refusal or a transient failure.
 *
 * `code` is the contract. `detail` is written for the customer and safe to show. `cause` and `context` are for
 * operators and never leave. Anything thrown that is not a DomainError is a defect.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly context: Record<string, string | number>;
  readonly fields: readonly FieldError[];
  readonly fieldsOmitted: number;
  readonly retryAfterSeconds: number | undefined;
  readonly members: Record<string, string | number>;

  constructor(code: ErrorCode, detail: string, options: DomainErrorOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.context = options.context ?? {};
    this.fields = options.fields ?? [];
    this.fieldsOmitted = options.fieldsOmitted ?? 0;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.members = options.members ?? {};
  }
}

/** Whether waiting helps: Microsoft throttles us, or a service that we depend on is unavailable. */
export function isTransient(error: unknown): error is DomainError {
  return error instanceof DomainError && waitingHelps[error.code];
}
