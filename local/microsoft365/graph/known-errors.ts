import type { CallKind } from '../scenario.ts';
import { claimsMessage } from './challenge.ts';

/**
 * When an error occurs: the steps of docs/microsoft365.md, "Order of evaluation". `logon` comes between the policies and
 * the meaning of the request.
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

type Details = Partial<Omit<KnownError, 'status' | 'stage' | 'message'>>;

const exchange = (status: number, stage: Stage, message: string, details: Details = {}): KnownError => ({
  status,
  stage,
  message,
  ...details,
});

const frontDoor = (status: number, stage: Stage, message: string, details: Details = {}): KnownError =>
  exchange(status, stage, message, { ...details, frontDoor: true });

/** Errors by their code: docs/microsoft365.md, "Graph and Exchange errors". */
export const knownErrors: Record<string, KnownError> = {
  ErrorAccessDenied: exchange(403, 'permission', 'Access is denied. Check credentials and try again.'),
  extensionError: exchange(403, 'policy', 'The mailbox is hosted on-premises or an application policy blocks the app.'),
  ExtensionError: exchange(
    403,
    'policy',
    'Operation: Create; Exception: [Status Code: Forbidden; Reason: Access is denied.]',
  ),
  ErrorInvalidUser: exchange(404, 'resolve', "The requested user '{user}' is invalid."),
  ResourceNotFound: exchange(404, 'resolve', 'Resource could not be discovered.'),
  MailboxNotEnabledForRESTAPI: exchange(
    404,
    'resolve',
    'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  ),
  MailboxNotSupportedForRESTAPI: exchange(404, 'resolve', 'REST API is not supported for this mailbox.'),
  ErrorNonExistentMailbox: exchange(404, 'resolve', 'The SMTP address has no mailbox associated with it.'),
  InvalidAuthenticationToken: frontDoor(401, 'token', 'Access token validation failure. Invalid audience.'),
  AuthenticationError: frontDoor(401, 'token', 'Error authenticating with resource'),
  // Microsoft documents no status. The reports that name one say 401: GitHub issues 446, 448, 777 of O365/python-o365.
  NoPermissionsInAccessToken: frontDoor(
    401,
    'permission',
    'The token contains no permissions, or permissions can not be understood.',
  ),
  insufficient_claims: frontDoor(401, 'token', claimsMessage, { code: 'InvalidAuthenticationToken', claims: true }),
  Authorization_IdentityNotFound: frontDoor(
    401,
    'token',
    'The identity of the calling application could not be established.',
  ),
  Authorization_IdentityDisabled: frontDoor(403, 'token', 'The identity of the calling application is disabled.'),
  UnknownError: frontDoor(503, 'resolve', ''),
  TooManyRequests: frontDoor(429, 'resolve', 'Please retry again later.'),
  activityLimitReached: frontDoor(429, 'resolve', 'The app or user has been throttled.'),
  throttledRequest: frontDoor(429, 'resolve', 'Too many requests.'),
  ApplicationThrottled: exchange(429, 'resolve', 'Application is over its MailboxConcurrency limit.', {
    retryAfterSeconds: 1,
  }),
  MailboxConcurrency: exchange(429, 'resolve', 'Application is over its MailboxConcurrency limit.'),
  generalException: frontDoor(500, 'resolve', 'An unspecified error has occurred.'),
  serviceNotAvailable: frontDoor(503, 'resolve', 'The service is not available. Try the request again after a delay.'),
  ServiceUnavailable: frontDoor(503, 'resolve', 'The service is temporarily unavailable.'),
  InternalServerError: frontDoor(500, 'resolve', 'Unable to process the request.'),
  GatewayTimeout: frontDoor(504, 'resolve', 'The gateway timed out.'),
  BadGateway: frontDoor(502, 'resolve', 'Bad gateway.'),
  ErrorAccountDisabled: exchange(403, 'logon', 'The account has been disabled.'),
  ErrorAccountSuspend: exchange(403, 'logon', 'Account is suspended.', { on: sends }),
  ErrorInvalidLicense: exchange(403, 'logon', 'The user does not have a valid license.'),
  ErrorOrganizationAccessBlocked: exchange(403, 'logon', 'Access to the organization is blocked.'),
  ErrorImpersonateUserDenied: exchange(
    403,
    'logon',
    'The account does not have permission to impersonate the requested user.',
  ),
  ErrorImpersonationDenied: exchange(403, 'logon', 'Impersonation is denied.'),
  ErrorSendAsDenied: exchange(
    403,
    'logon',
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.',
    { on: sends },
  ),
  ErrorMissingRecipients: exchange(400, 'logon', 'No recipients were specified.', { on: sends }),
  ErrorExceededMessageLimit: exchange(403, 'logon', 'The daily message limit was exceeded.', { on: sends }),
  ErrorExceededMaxRecipientLimit: exchange(403, 'logon', 'The recipient limit was exceeded.', { on: sends }),
  ErrorMessageSubmissionBlocked: exchange(403, 'logon', 'Message submission is blocked for this account.', {
    on: sends,
  }),
  ErrorMessageBlocked: exchange(403, 'logon', 'The message was blocked.', { on: sends }),
  ErrorSubmissionQuotaExceeded: exchange(429, 'logon', 'The submission quota was exceeded.', { on: sends }),
  ErrorServerBusy: exchange(503, 'logon', busy),
  ErrorInsufficientResources: exchange(503, 'logon', busy),
  ErrorConnectionFailed: exchange(503, 'logon', 'The connection to the mailbox failed.'),
  ErrorTimeoutExpired: exchange(504, 'logon', 'The request timed out.'),
  ErrorInternalServerError: exchange(500, 'logon', internal),
  ErrorInternalServerTransientError: exchange(503, 'logon', internal),
  ErrorADUnavailable: exchange(503, 'logon', 'Active Directory is unavailable. Try again later.'),
  ErrorADOperation: exchange(500, 'logon', 'The Active Directory operation did not succeed.'),
  ErrorTooManyObjectsOpened: exchange(429, 'logon', 'Too many concurrent connections opened. Cannot open mailbox.'),
  ErrorExceededConnectionCount: exchange(
    429,
    'logon',
    'You have exceeded the available concurrent connections for your account.',
  ),
  ErrorNotEnoughMemory: exchange(500, 'logon', 'Not enough memory to complete the request.'),
  ErrorItemNotFound: exchange(404, 'store', 'The specified object was not found in the store.', {
    on: ['change', 'remove'],
  }),
  ErrorFolderNotFound: exchange(404, 'store', 'The specified folder could not be found in the store.', {
    on: ['read', 'create'],
  }),
  ErrorQuotaExceeded: exchange(507, 'store', 'The mailbox has exceeded its storage quota.', { on: writes }),
  quotaLimitReached: exchange(507, 'store', 'The storage quota has been reached.', { on: writes }),
  ErrorMessageSizeExceeded: exchange(413, 'store', 'The message exceeds the maximum supported size.', {
    on: ['create', 'send'],
  }),
  ErrorMailboxMoveInProgress: exchange(503, 'store', 'Mailbox move in progress. Try again later.'),
  ErrorMailboxStoreUnavailable: exchange(503, 'store', 'The mailbox database is temporarily unavailable.'),
  ErrorMailboxFailover: exchange(503, 'store', 'The mailbox is failing over to another server.'),
};
