import type { CauseCode } from './causes.ts';

/**
 * The cause for each error code that Graph and Exchange return for a mailbox, for any HTTP status.
 *
 * Codes that have several causes, such as `ErrorAccessDenied`, are in `denialCodes`. Left out on purpose are codes that
 * only a bug of ours can cause (`BadRequest`, `ErrorInvalidIdMalformed`, …) and ambiguous ones (`ErrorItemNotFound`).
 * They become `unknown_refusal`.
 */
export const graphCodes: Readonly<Record<string, CauseCode>> = {
  ErrorInvalidUser: 'mailbox_not_found',
  ErrorNonExistentMailbox: 'mailbox_not_found',
  Request_ResourceNotFound: 'mailbox_not_found',

  // The first two mean the same: one account returned both, a few hours apart.
  ResourceNotFound: 'mailbox_unlicensed_or_on_premises',
  MailboxNotEnabledForRESTAPI: 'mailbox_unlicensed_or_on_premises',
  MailboxNotSupportedForRESTAPI: 'mailbox_unlicensed_or_on_premises',
  ErrorInvalidLicense: 'mailbox_unlicensed_or_on_premises',

  ErrorAccountDisabled: 'mailbox_disabled',
  ErrorSendAsDenied: 'send_as_denied',
  ErrorQuotaExceeded: 'mailbox_full',
  quotaLimitReached: 'mailbox_full',
  ErrorMailboxMoveInProgress: 'mailbox_moving',

  ErrorExceededMessageLimit: 'sending_blocked',
  ErrorExceededMaxRecipientLimit: 'sending_blocked',
  ErrorMessageSubmissionBlocked: 'sending_blocked',
  ErrorMessageBlocked: 'sending_blocked',
  ErrorAccountSuspend: 'sending_blocked',

  Authorization_IdentityNotFound: 'service_principal_missing',
  Authorization_IdentityDisabled: 'app_disabled',
  InvalidAuthenticationToken: 'token_rejected',
  ErrorOrganizationAccessBlocked: 'tenant_blocked',

  ApplicationThrottled: 'throttled',
  MailboxConcurrency: 'throttled',
  TooManyRequests: 'throttled',
  activityLimitReached: 'throttled',
  throttledRequest: 'throttled',
  ErrorSubmissionQuotaExceeded: 'throttled',
  ErrorTooManyObjectsOpened: 'throttled',
  ErrorExceededConnectionCount: 'throttled',

  ErrorMailboxStoreUnavailable: 'microsoft_unavailable',
  ErrorMailboxFailover: 'microsoft_unavailable',
  ErrorConnectionFailed: 'microsoft_unavailable',
  ErrorServerBusy: 'microsoft_unavailable',
  ErrorInsufficientResources: 'microsoft_unavailable',
  ErrorTimeoutExpired: 'microsoft_unavailable',
  ErrorInternalServerError: 'microsoft_unavailable',
  ErrorInternalServerTransientError: 'microsoft_unavailable',
  ErrorADUnavailable: 'microsoft_unavailable',
  ErrorADOperation: 'microsoft_unavailable',
  ErrorNotEnoughMemory: 'microsoft_unavailable',
  generalException: 'microsoft_unavailable',
  serviceNotAvailable: 'microsoft_unavailable',
  InternalServerError: 'microsoft_unavailable',
  ServiceUnavailable: 'microsoft_unavailable',
  GatewayTimeout: 'microsoft_unavailable',
};

/** Codes with several causes. `explainDenial` tells them apart as well as possible. */
export const denialCodes: ReadonlySet<string> = new Set([
  'ErrorAccessDenied',
  'NoPermissionsInAccessToken',
  'extensionError',
  'ExtensionError',
]);
