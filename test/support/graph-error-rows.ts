import type { MailboxFault } from '../../local/microsoft365/scenario.ts';

export type CallName = 'inbox' | 'draft' | 'send' | 'remove';

/** A fault of a mailbox, and the error that Graph returns for it. */
export interface ErrorRow {
  /** The name in the simulator's table of known errors. */
  known: string;
  /** The value of `error.code` if it is not `known`. */
  code?: string;
  /** `error:<known>` if absent. */
  fault?: MailboxFault;
  /** The call that fails; `inbox` if absent. */
  call?: CallName;
  status: number;
  /** Microsoft's wording, if it is known. `{user}` stands for the mailbox. */
  message?: string;
  /** It has an `innerError`, as errors of the front door and the directory do. */
  inner?: true;
  retryAfter?: string;
  challenge?: 'plain' | 'claims';
}

const denied = 'Access is denied. Check credentials and try again.';
const overConcurrency = 'Application is over its MailboxConcurrency limit.';
const noIdentity = 'The identity of the calling application could not be established.';

/** Every code that Graph and Exchange are known to return, as the fault of a mailbox. */
export const errorRows: readonly ErrorRow[] = [
  { known: 'ErrorAccessDenied', status: 403, message: denied },
  { known: 'ErrorAccessDenied', fault: 'sendDenied', call: 'send', status: 403, message: denied },
  { known: 'ErrorAccessDenied', fault: 'readWriteDenied', call: 'draft', status: 403, message: denied },
  { known: 'ErrorAccessDenied', fault: 'restBlocked', status: 403, message: 'Access to OData is disabled.' },
  { known: 'extensionError', status: 403 },
  { known: 'ExtensionError', status: 403 },
  { known: 'ErrorInvalidUser', status: 404, message: "The requested user '{user}' is invalid." },
  { known: 'ResourceNotFound', status: 404, message: 'Resource could not be discovered.' },
  {
    known: 'MailboxNotEnabledForRESTAPI',
    status: 404,
    message: 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  },
  {
    known: 'MailboxNotEnabledForRESTAPI',
    fault: { code: 'MailboxNotEnabledForRESTAPI', message: 'REST API is not yet supported for this mailbox.' },
    status: 404,
    message: 'REST API is not yet supported for this mailbox.',
  },
  { known: 'MailboxNotSupportedForRESTAPI', status: 404 },
  { known: 'ErrorNonExistentMailbox', status: 404 },
  { known: 'Authorization_IdentityNotFound', status: 401, message: noIdentity, inner: true, challenge: 'plain' },
  {
    known: 'Authorization_IdentityNotFound',
    fault: { code: 'Authorization_IdentityNotFound', status: 403 },
    status: 403,
    message: noIdentity,
    inner: true,
  },
  { known: 'Authorization_IdentityDisabled', status: 403, inner: true },
  { known: 'InvalidAuthenticationToken', status: 401, inner: true, challenge: 'plain' },
  {
    known: 'NoPermissionsInAccessToken',
    status: 401,
    message: 'The token contains no permissions, or permissions can not be understood.',
    inner: true,
    challenge: 'plain',
  },
  { known: 'AuthenticationError', status: 401, inner: true, challenge: 'plain' },
  { known: 'insufficient_claims', code: 'InvalidAuthenticationToken', status: 401, inner: true, challenge: 'claims' },
  {
    known: 'insufficient_claims',
    code: 'InvalidAuthenticationToken',
    fault: { code: 'insufficient_claims', status: 403 },
    status: 403,
    inner: true,
    challenge: 'claims',
  },
  { known: 'ErrorAccountDisabled', status: 403 },
  { known: 'ErrorInvalidLicense', status: 403 },
  { known: 'ErrorOrganizationAccessBlocked', status: 403 },
  { known: 'ErrorImpersonateUserDenied', status: 403 },
  { known: 'ErrorImpersonationDenied', status: 403 },
  { known: 'ErrorSendAsDenied', call: 'send', status: 403 },
  { known: 'ErrorMissingRecipients', call: 'send', status: 400 },
  { known: 'ErrorExceededMessageLimit', call: 'send', status: 403 },
  {
    known: 'ErrorExceededMessageLimit',
    fault: { code: 'ErrorExceededMessageLimit', status: 429 },
    call: 'send',
    status: 429,
  },
  {
    known: 'ErrorExceededMessageLimit',
    fault: { code: 'ErrorExceededMessageLimit', status: 400 },
    call: 'send',
    status: 400,
  },
  { known: 'ErrorMessageSubmissionBlocked', call: 'send', status: 403 },
  { known: 'ErrorAccountSuspend', call: 'send', status: 403 },
  { known: 'ErrorMessageBlocked', call: 'send', status: 403 },
  { known: 'ErrorExceededMaxRecipientLimit', call: 'send', status: 403 },
  { known: 'ErrorSubmissionQuotaExceeded', call: 'send', status: 429 },
  { known: 'ErrorQuotaExceeded', fault: 'full', call: 'draft', status: 507 },
  { known: 'ErrorQuotaExceeded', fault: { code: 'ErrorQuotaExceeded', status: 400 }, call: 'draft', status: 400 },
  { known: 'ErrorQuotaExceeded', fault: { code: 'ErrorQuotaExceeded', status: 429 }, call: 'draft', status: 429 },
  { known: 'quotaLimitReached', call: 'draft', status: 507 },
  { known: 'ErrorMessageSizeExceeded', call: 'draft', status: 413 },
  { known: 'ErrorMailboxMoveInProgress', fault: 'moving', status: 503 },
  { known: 'ErrorMailboxStoreUnavailable', status: 503 },
  { known: 'ErrorMailboxFailover', status: 503 },
  { known: 'ErrorConnectionFailed', status: 503 },
  { known: 'ErrorServerBusy', status: 503 },
  {
    known: 'ErrorServerBusy',
    fault: { code: 'ErrorServerBusy', retryAfterSeconds: 12 },
    status: 503,
    retryAfter: '12',
  },
  { known: 'ErrorInsufficientResources', status: 503 },
  { known: 'ErrorTimeoutExpired', status: 504 },
  { known: 'ErrorInternalServerError', status: 500 },
  { known: 'ErrorInternalServerTransientError', status: 503 },
  { known: 'ErrorADUnavailable', status: 503 },
  { known: 'ErrorADOperation', status: 500 },
  { known: 'ErrorTooManyObjectsOpened', status: 429 },
  { known: 'ErrorExceededConnectionCount', status: 429 },
  { known: 'ErrorNotEnoughMemory', status: 500 },
  { known: 'ErrorItemNotFound', call: 'remove', status: 404 },
  { known: 'ErrorFolderNotFound', status: 404 },
  { known: 'ApplicationThrottled', status: 429, message: overConcurrency, retryAfter: '1' },
  { known: 'MailboxConcurrency', status: 429, message: overConcurrency },
  { known: 'TooManyRequests', status: 429, message: 'Please retry again later.', inner: true },
  {
    known: 'TooManyRequests',
    fault: { code: 'TooManyRequests', retryAfterSeconds: 2.128 },
    status: 429,
    inner: true,
    retryAfter: '2.128',
  },
  { known: 'activityLimitReached', status: 429, inner: true },
  { known: 'throttledRequest', status: 429, inner: true },
  { known: 'UnknownError', status: 503, message: '', inner: true },
  ...[401, 403, 404, 502, 504].map(
    (status): ErrorRow => ({
      known: 'UnknownError',
      fault: { code: 'UnknownError', status },
      status,
      message: '',
      inner: true,
      ...(status === 401 ? { challenge: 'plain' } : {}),
    }),
  ),
  { known: 'generalException', status: 500, inner: true },
  { known: 'serviceNotAvailable', status: 503, inner: true },
  { known: 'InternalServerError', status: 500, inner: true },
  { known: 'ServiceUnavailable', status: 503, inner: true },
  { known: 'ServiceUnavailable', fault: 'down', status: 503, inner: true },
  { known: 'GatewayTimeout', status: 504, inner: true },
  { known: 'BadGateway', status: 502, inner: true },
];
