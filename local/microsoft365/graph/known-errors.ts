import type { CallKind } from '../scenario.ts';
import { claimsMessage } from './challenge.ts';

/**
 * When an error occurs: the steps of docs/microsoft365.md, "Order of evaluation". `logon` comes after the policies and
 * before the request itself is looked at.
 */
export type Stage = 'token' | 'resolve' | 'permission' | 'policy' | 'logon' | 'store';

export interface KnownError {
  status: number;
  message: string;
  stage: Stage;
  /** The calls that can fail with it; all if absent. */
  on?: readonly CallKind[];
  /** It comes from Graph's front door, so it has an `innerError`. */
  frontDoor?: true;
  /** The value of `error.code` if it differs from the name in this table. */
  code?: string;
  /** `WWW-Authenticate` contains a claims challenge. */
  claims?: true;
  retryAfterSeconds?: number;
}

const writes: readonly CallKind[] = ['create', 'change'];
const sends: readonly CallKind[] = ['send'];
const busy = 'The server cannot service this request right now. Try again later.';
const internal = 'An internal server error occurred. The operation failed.';

/** Errors by their code: docs/microsoft365.md, "Graph and Exchange errors", which also says how sure each status is. */
export const knownErrors: Record<string, KnownError> = {
  ErrorAccessDenied: {
    status: 403,
    message: 'Access is denied. Check credentials and try again.',
    stage: 'permission',
  },
  extensionError: {
    status: 403,
    message: 'The mailbox is hosted on-premises or an application policy blocks the app.',
    stage: 'policy',
  },
  ExtensionError: {
    status: 403,
    message: 'Operation: Create; Exception: [Status Code: Forbidden; Reason: Access is denied.]',
    stage: 'policy',
  },
  ErrorInvalidUser: { status: 404, message: "The requested user '{user}' is invalid.", stage: 'resolve' },
  ResourceNotFound: { status: 404, message: 'Resource could not be discovered.', stage: 'resolve' },
  MailboxNotEnabledForRESTAPI: {
    status: 404,
    message: 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
    stage: 'resolve',
  },
  MailboxNotSupportedForRESTAPI: {
    status: 404,
    message: 'REST API is not supported for this mailbox.',
    stage: 'resolve',
  },
  ErrorNonExistentMailbox: {
    status: 404,
    message: 'The SMTP address has no mailbox associated with it.',
    stage: 'resolve',
  },
  InvalidAuthenticationToken: {
    status: 401,
    message: 'Access token validation failure. Invalid audience.',
    stage: 'token',
    frontDoor: true,
  },
  AuthenticationError: {
    status: 401,
    message: 'Error authenticating with resource',
    stage: 'token',
    frontDoor: true,
  },
  // Microsoft documents no status. The reports that name one say 401: GitHub issues 446, 448, 777 of O365/python-o365.
  NoPermissionsInAccessToken: {
    status: 401,
    message: 'The token contains no permissions, or permissions can not be understood.',
    stage: 'permission',
    frontDoor: true,
  },
  insufficient_claims: {
    status: 401,
    message: claimsMessage,
    stage: 'token',
    frontDoor: true,
    code: 'InvalidAuthenticationToken',
    claims: true,
  },
  Authorization_IdentityNotFound: {
    status: 401,
    message: 'The identity of the calling application could not be established.',
    stage: 'token',
    frontDoor: true,
  },
  Authorization_IdentityDisabled: {
    status: 403,
    message: 'The identity of the calling application is disabled.',
    stage: 'token',
    frontDoor: true,
  },
  UnknownError: { status: 503, message: '', stage: 'resolve', frontDoor: true },
  TooManyRequests: { status: 429, message: 'Please retry again later.', stage: 'resolve', frontDoor: true },
  activityLimitReached: {
    status: 429,
    message: 'The app or user has been throttled.',
    stage: 'resolve',
    frontDoor: true,
  },
  throttledRequest: { status: 429, message: 'Too many requests.', stage: 'resolve', frontDoor: true },
  ApplicationThrottled: {
    status: 429,
    message: 'Application is over its MailboxConcurrency limit.',
    stage: 'resolve',
    retryAfterSeconds: 1,
  },
  MailboxConcurrency: {
    status: 429,
    message: 'Application is over its MailboxConcurrency limit.',
    stage: 'resolve',
  },
  generalException: { status: 500, message: 'An unspecified error has occurred.', stage: 'resolve', frontDoor: true },
  serviceNotAvailable: {
    status: 503,
    message: 'The service is not available. Try the request again after a delay.',
    stage: 'resolve',
    frontDoor: true,
  },
  ServiceUnavailable: {
    status: 503,
    message: 'The service is temporarily unavailable.',
    stage: 'resolve',
    frontDoor: true,
  },
  InternalServerError: { status: 500, message: 'Unable to process the request.', stage: 'resolve', frontDoor: true },
  GatewayTimeout: { status: 504, message: 'The gateway timed out.', stage: 'resolve', frontDoor: true },
  BadGateway: { status: 502, message: 'Bad gateway.', stage: 'resolve', frontDoor: true },
  ErrorAccountDisabled: { status: 403, message: 'The account has been disabled.', stage: 'logon' },
  ErrorAccountSuspend: { status: 403, message: 'Account is suspended.', stage: 'logon', on: sends },
  ErrorInvalidLicense: { status: 403, message: 'The user does not have a valid license.', stage: 'logon' },
  ErrorOrganizationAccessBlocked: {
    status: 403,
    message: 'Access to the organization is blocked.',
    stage: 'logon',
  },
  ErrorImpersonateUserDenied: {
    status: 403,
    message: 'The account does not have permission to impersonate the requested user.',
    stage: 'logon',
  },
  ErrorImpersonationDenied: { status: 403, message: 'Impersonation is denied.', stage: 'logon' },
  ErrorSendAsDenied: {
    status: 403,
    message:
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.',
    stage: 'logon',
    on: sends,
  },
  ErrorMissingRecipients: { status: 400, message: 'No recipients were specified.', stage: 'logon', on: sends },
  ErrorExceededMessageLimit: {
    status: 403,
    message: 'The daily message limit was exceeded.',
    stage: 'logon',
    on: sends,
  },
  ErrorExceededMaxRecipientLimit: {
    status: 403,
    message: 'The recipient limit was exceeded.',
    stage: 'logon',
    on: sends,
  },
  ErrorMessageSubmissionBlocked: {
    status: 403,
    message: 'Message submission is blocked for this account.',
    stage: 'logon',
    on: sends,
  },
  ErrorMessageBlocked: { status: 403, message: 'The message was blocked.', stage: 'logon', on: sends },
  ErrorSubmissionQuotaExceeded: {
    status: 429,
    message: 'The submission quota was exceeded.',
    stage: 'logon',
    on: sends,
  },
  ErrorServerBusy: { status: 503, message: busy, stage: 'logon' },
  ErrorInsufficientResources: { status: 503, message: busy, stage: 'logon' },
  ErrorConnectionFailed: { status: 503, message: 'The connection to the mailbox failed.', stage: 'logon' },
  ErrorTimeoutExpired: { status: 504, message: 'The request timed out.', stage: 'logon' },
  ErrorInternalServerError: { status: 500, message: internal, stage: 'logon' },
  ErrorInternalServerTransientError: { status: 503, message: internal, stage: 'logon' },
  ErrorADUnavailable: { status: 503, message: 'Active Directory is unavailable. Try again later.', stage: 'logon' },
  ErrorADOperation: { status: 500, message: 'The Active Directory operation did not succeed.', stage: 'logon' },
  ErrorTooManyObjectsOpened: {
    status: 429,
    message: 'Too many concurrent connections opened. Cannot open mailbox.',
    stage: 'logon',
  },
  ErrorExceededConnectionCount: {
    status: 429,
    message: 'You have exceeded the available concurrent connections for your account.',
    stage: 'logon',
  },
  ErrorNotEnoughMemory: { status: 500, message: 'Not enough memory to complete the request.', stage: 'logon' },
  ErrorItemNotFound: {
    status: 404,
    message: 'The specified object was not found in the store.',
    stage: 'store',
    on: ['change', 'remove'],
  },
  ErrorFolderNotFound: {
    status: 404,
    message: 'The specified folder could not be found in the store.',
    stage: 'store',
    on: ['read', 'create'],
  },
  ErrorQuotaExceeded: {
    status: 507,
    message: 'The mailbox has exceeded its storage quota.',
    stage: 'store',
    on: writes,
  },
  quotaLimitReached: { status: 507, message: 'The storage quota has been reached.', stage: 'store', on: writes },
  ErrorMessageSizeExceeded: {
    status: 413,
    message: 'The message exceeds the maximum supported size.',
    stage: 'store',
    on: ['create', 'send'],
  },
  ErrorMailboxMoveInProgress: {
    status: 503,
    message: 'Mailbox move in progress. Try again later.',
    stage: 'store',
  },
  ErrorMailboxStoreUnavailable: {
    status: 503,
    message: 'The mailbox database is temporarily unavailable.',
    stage: 'store',
  },
  ErrorMailboxFailover: { status: 503, message: 'The mailbox is failing over to another server.', stage: 'store' },
};
