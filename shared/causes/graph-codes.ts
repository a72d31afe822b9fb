import type { CauseCode } from './causes.ts';

/**
 * What Graph's and Exchange's codes mean on a mailbox, whatever the HTTP status that brought them.
 *
 * The codes that need more than themselves (`ErrorAccessDenied` and its kin) are `denialCodes`. Codes that only a
 * mistake of ours can bring about (`BadRequest`, `ErrorInvalidIdMalformed`, …) or that are ambiguous by definition
 * (`ErrorItemNotFound`) are missing on purpose: they end as `unknown_refusal`.
 */
export const graphCodes: Readonly<Record<string, CauseCode>> = {
  ErrorInvalidUser: 'mailbox_not_found',
  ErrorNonExistentMailbox: 'mailbox_not_found',
  Request_ResourceNotFound: 'mailbox_not_found',

  // One account was seen to answer the first two hours apart: they are one thing.
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

/** One code, several causes: `explainDenial` tells them apart as far as that can be. */
export const denialCodes: ReadonlySet<string> = new Set([
  'ErrorAccessDenied',
  'NoPermissionsInAccessToken',
  'extensionError',
  'ExtensionError',
]);
