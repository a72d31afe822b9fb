import type { HttpResponseInit } from '@azure/functions';
import { DomainError, type ErrorCode, FIELDS_MAX, type FieldError, isTransient } from '../../kernel/errors.ts';

/** The HTTP status and title of every error code. Only this file knows both. */
export const problems: Record<ErrorCode, { status: number; title: string }> = {
  validation_failed: { status: 400, title: 'The request is not valid' },
  malformed_request: { status: 400, title: 'The request cannot be read' },
  file_empty: { status: 400, title: 'The file is empty' },
  file_not_text: { status: 400, title: 'The file is neither text nor a workbook' },
  file_malformed: { status: 400, title: 'The file is malformed' },
  file_no_address_column: { status: 400, title: 'The file has no address column' },
  customer_required: { status: 400, title: 'The request must name a customer' },
  unauthenticated: { status: 401, title: 'An API key is required' },
  forbidden: { status: 403, title: 'The API key does not allow this' },
  not_found: { status: 404, title: 'Not found' },
  gone: { status: 410, title: 'No longer available' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  conflict: { status: 409, title: 'The request conflicts with an existing resource' },
  connection_not_ready: { status: 409, title: 'The connection is not ready' },
  slot_limit_reached: { status: 409, title: 'The plan has too few free mailbox slots' },
  quota_reached: { status: 409, title: 'A quota of the customer is used up' },
  wrong_state: { status: 409, title: 'Not possible in the current state' },
  upload_used: { status: 409, title: 'An import has already been started from the upload' },
  nothing_to_retry: { status: 409, title: 'No row can be retried' },
  directory_unavailable: { status: 409, title: 'The directory of the tenant is not available' },
  selection_incomplete: { status: 409, title: 'Not everything was looked at' },
  nothing_selected: { status: 409, title: 'No mailbox matches' },
  upload_in_progress: { status: 409, title: 'Another upload to the connection is still running' },
  idempotency_in_progress: { status: 409, title: 'The first request is still running' },
  precondition_failed: { status: 412, title: 'The resource has changed' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  credentials_rejected: { status: 422, title: 'Microsoft rejected the credentials' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used for another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  microsoft_throttled: { status: 503, title: 'Microsoft is throttling our requests' },
  microsoft_unavailable: { status: 503, title: 'Microsoft is temporarily unavailable' },
  storage_unavailable: { status: 503, title: 'Our storage is temporarily unavailable' },
  vault_unavailable: { status: 503, title: 'Our key vault is temporarily unavailable' },
};

/** Sent as `Retry-After` when the unavailable service has not named a time. */
const RETRY_AFTER_SECONDS = 5;

export interface ProblemDeps {
  /** Where the pages of problems are, without a slash at its end. */
  publicUrl: string;
}

const PATH_MAX_LENGTH = 200;

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code?: ErrorCode;
  requestId: string;
  errors?: readonly FieldError[];
  errorsOmitted?: number;
  [member: string]: unknown;
}

/** Turns anything thrown into an RFC 9457 response. Only the text of a `DomainError` reaches the caller. */
export function toProblem(deps: ProblemDeps, error: unknown, requestId: string): HttpResponseInit {
  if (!(error instanceof DomainError)) {
    return respond({ type: 'about:blank', title: 'Something went wrong on our side', status: 500, requestId });
  }
  const { status, title } = problems[error.code];
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterSeconds));
  else if (isTransient(error)) headers['retry-after'] = String(RETRY_AFTER_SECONDS);
  return respond(
    {
      // The error's own members come first, so none of them can override a standard member.
      ...error.members,
      type: `${deps.publicUrl}/problems/${error.code}`,
      title,
      status,
      detail: error.detail,
      code: error.code,
      requestId,
      ...presentFields(error),
    },
    headers,
  );
}

/** At most 100 short entries, because a field's name is as long as the caller made it. */
function presentFields({ fields, fieldsOmitted }: DomainError): Pick<Problem, 'errors' | 'errorsOmitted'> {
  if (fields.length === 0) return {};
  const omitted = fieldsOmitted + Math.max(0, fields.length - FIELDS_MAX);
  return {
    errors: fields.slice(0, FIELDS_MAX).map(({ path, message }) => ({ path: cut(path), message })),
    ...(omitted > 0 && { errorsOmitted: omitted }),
  };
}

function cut(path: string): string {
  return path.length > PATH_MAX_LENGTH ? `${path.slice(0, PATH_MAX_LENGTH).toWellFormed()}…` : path;
}

function respond(problem: Problem, headers: Record<string, string> = {}): HttpResponseInit {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify(problem),
  };
}
