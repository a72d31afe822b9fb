import { randomUUID } from 'node:crypto';
import { json, type SimulatorReply } from '../http.ts';

/** What a refusal's wording names. */
interface Subject {
  clientId: string;
  tenant: string;
  resource: string;
  /** Why a signature is refused. */
  reason: string;
}

interface KnownRefusal {
  error: string;
  status: number;
  text: (subject: Subject) => string;
  /** Entra sends no `error_uri` with some codes. */
  withoutUri?: true;
  retryAfterSeconds?: number;
}

const says =
  (text: string): KnownRefusal['text'] =>
  () =>
    text;

/** The claim of an assertion that no federated credential of the app has. */
function federatedRefusal(claim: 'issuer' | 'audience' | 'subject'): KnownRefusal {
  return {
    error: 'invalid_client',
    status: 401,
    text: ({ reason }) =>
      `No matching federated identity record found for presented assertion ${claim} '${reason}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`,
  };
}

/**
 * Refusals of client credentials and authorization codes by AADSTS number, with status, `error` and wording as recorded from Entra or as on the
 * Microsoft page "Microsoft Entra authentication and authorization error codes". See docs/microsoft365.md,
 * "Entra errors (AADSTS)".
 */
const refusals: Record<string, KnownRefusal> = {
  7000215: {
    error: 'invalid_client',
    status: 401,
    text: ({ clientId }) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  },
  7000222: {
    error: 'invalid_client',
    status: 401,
    text: ({ clientId }) =>
      `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
  },
  700016: {
    error: 'unauthorized_client',
    status: 400,
    text: ({ clientId, tenant }) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  },
  7000229: {
    error: 'invalid_client',
    status: 401,
    text: ({ clientId, tenant }) =>
      `The client application ${clientId} is missing service principal in the tenant ${tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
  },
  700011: {
    error: 'unauthorized_client',
    status: 400,
    text: ({ clientId, tenant }) => `Application with identifier ${clientId} was not found in the directory ${tenant}.`,
  },
  700038: {
    error: 'unauthorized_client',
    status: 400,
    text: ({ clientId }) => `${clientId} is not a valid application identifier.`,
    withoutUri: true,
  },
  90002: {
    error: 'invalid_tenant',
    status: 400,
    text: ({ tenant }) =>
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  },
  900023: {
    error: 'invalid_request',
    status: 400,
    text: ({ tenant }) =>
      `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  },
  90038: {
    error: 'invalid_request',
    status: 400,
    text: ({ tenant }) => `Tenant '${tenant}' request is being redirected to the National Cloud 'MicrosoftOnline.US'.`,
  },
  900432: {
    error: 'invalid_request',
    status: 400,
    text: says('Confidential Client is not supported in Cross Cloud request.'),
  },
  900382: {
    error: 'invalid_request',
    status: 400,
    text: says('Confidential Client is not supported in Cross Cloud request.'),
  },
  7000112: {
    error: 'unauthorized_client',
    status: 400,
    text: ({ clientId }) => `Application '${clientId}' is disabled.`,
  },
  1000031: {
    error: 'unauthorized_client',
    status: 400,
    text: ({ clientId }) =>
      `Application ${clientId} cannot be accessed at this time. Contact your administrator to enable access.`,
  },
  53003: {
    error: 'invalid_grant',
    status: 400,
    text: says(
      'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
    ),
  },
  530032: { error: 'invalid_grant', status: 400, text: says('User blocked due to risk on home tenant.') },
  530035: { error: 'invalid_grant', status: 400, text: says('Access has been blocked by security defaults.') },
  65001: {
    error: 'invalid_grant',
    status: 400,
    text: ({ clientId }) =>
      `The user or administrator has not consented to use the application with ID '${clientId}'. Send an interactive authorization request for this user and resource.`,
  },
  500011: {
    error: 'invalid_resource',
    status: 400,
    text: ({ resource, tenant }) =>
      `The resource principal named ${resource} was not found in the tenant named ${tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  },
  650052: {
    error: 'invalid_client',
    status: 400,
    text: ({ tenant }) =>
      `The app needs access to a service that your organization ${tenant} has not subscribed to or enabled. Contact your IT Admin to review the configuration of your service subscriptions.`,
  },
  650056: {
    error: 'invalid_client',
    status: 400,
    text: says('Misconfigured application. Please contact your admin to fix the configuration.'),
  },
  650057: {
    error: 'invalid_resource',
    status: 400,
    text: ({ resource }) =>
      `Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Resource value from request: ${resource}.`,
  },
  70011: {
    error: 'invalid_scope',
    status: 400,
    text: ({ resource }) =>
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${resource} is not valid.`,
  },
  700022: { error: 'invalid_scope', status: 400, text: says('The provided value for scope spans several resources.') },
  28000: {
    error: 'invalid_scope',
    status: 400,
    text: says('Provided value for the input parameter scope is not valid because it contains more than one resource.'),
  },
  28002: {
    error: 'invalid_scope',
    status: 400,
    text: ({ resource }) =>
      `Provided value for the input parameter scope '${resource}' is not valid when requesting an access token. Please specify a valid scope.`,
  },
  7000218: {
    error: 'invalid_client',
    status: 401,
    text: says("The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
  },
  700027: {
    error: 'invalid_client',
    status: 401,
    text: ({ clientId, reason }) =>
      `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${reason || 'The key was not found.'}, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '${clientId}'.]`,
  },
  700024: {
    error: 'invalid_client',
    status: 401,
    text: says('Client assertion is not within its valid time range.'),
  },
  700023: {
    error: 'invalid_client',
    status: 401,
    text: says('Client assertion audience claim does not match Realm issuer.'),
  },
  700021: {
    error: 'invalid_client',
    status: 401,
    text: says('Client assertion application identifier does not match the client_id parameter.'),
  },
  700211: federatedRefusal('issuer'),
  700212: federatedRefusal('audience'),
  700213: federatedRefusal('subject'),
  70025: {
    error: 'invalid_client',
    status: 401,
    text: ({ clientId }) => `The client '${clientId}' has no configured federated identity credentials.`,
  },
  50013: { error: 'invalid_client', status: 401, text: says('Assertion failed signature validation.') },
  700229: {
    error: 'invalid_client',
    status: 400,
    text: says('Only app-only tokens can be used as Federated Identity Credentials for AAD issuer.'),
  },
  700025: {
    error: 'invalid_client',
    status: 401,
    text: says("Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
  },
  54005: {
    error: 'invalid_grant',
    status: 400,
    text: says(
      'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
    ),
  },
  70008: {
    error: 'invalid_grant',
    status: 400,
    text: says(
      'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
    ),
  },
  70000: { error: 'invalid_grant', status: 400, text: says('Provided grant is invalid or malformed.') },
  700005: {
    error: 'invalid_grant',
    status: 400,
    text: says('Provided Authorization Code is intended to use against other tenant, thus rejected.'),
  },
  501481: {
    error: 'invalid_grant',
    status: 400,
    text: says('The Code_Verifier does not match the code_challenge supplied in the authorization request.'),
  },
  50148: {
    error: 'invalid_grant',
    status: 400,
    text: says('The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.'),
  },
  500112: {
    error: 'invalid_client',
    status: 401,
    text: ({ resource }) =>
      `The reply address '${resource}' does not match the reply address provided when requesting Authorization code.`,
  },
  50034: {
    error: 'invalid_grant',
    status: 400,
    text: ({ tenant }) => `The user account does not exist in the ${tenant} directory.`,
  },
  50196: {
    error: 'invalid_grant',
    status: 429,
    text: says('The server terminated an operation because it encountered a client request loop.'),
    retryAfterSeconds: 60,
  },
  90055: {
    error: 'temporarily_unavailable',
    status: 429,
    text: says('Request was terminated as there are too many requests for the tenant.'),
    retryAfterSeconds: 60,
  },
  90013: { error: 'invalid_request', status: 400, text: says('Invalid input received from the user.') },
  90014: {
    error: 'invalid_request',
    status: 400,
    text: says("The required field 'client_id' is missing from the credential."),
  },
  900144: {
    error: 'invalid_request',
    status: 400,
    text: ({ resource }) => `The request body must contain the following parameter: '${resource}'.`,
  },
  90023: { error: 'invalid_request', status: 400, text: says('Invalid STS request.') },
  9002313: {
    error: 'invalid_request',
    status: 400,
    text: says('Invalid request. Request is malformed or invalid.'),
  },
  90100: { error: 'invalid_request', status: 400, text: says('The parameter is empty or not valid.') },
  90056: { error: 'invalid_request', status: 400, text: says('The endpoint only accepts POST requests.') },
  70003: {
    error: 'unsupported_grant_type',
    status: 400,
    text: ({ resource }) => `The app requested an unsupported grant type '${resource}'.`,
    withoutUri: true,
  },
  9001023: {
    error: 'invalid_request',
    status: 400,
    text: says(
      'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
    ),
  },
  1002016: {
    error: 'invalid_request',
    status: 400,
    text: says('You are using TLS version 1.0, 1.1 and/or 3DES cipher which are deprecated.'),
  },
  50128: {
    error: 'invalid_request',
    status: 400,
    text: says('Invalid domain name - no tenant-identifying information found in the request.'),
  },
  50059: {
    error: 'invalid_request',
    status: 400,
    text: says('No tenant-identifying information found in either the request or implied by any provided credentials.'),
  },
  90019: {
    error: 'invalid_request',
    status: 400,
    text: says('No tenant-identifying information found in either the request.'),
  },
};

for (const transient of [50033, 90006, 90012, 90024, 90033, 90090, 50000]) {
  refusals[transient] = {
    error: 'temporarily_unavailable',
    status: 503,
    text: says('A transient error has occurred. Please try again.'),
  };
}

/** The numbers that have their own wording. */
export const knownAadsts: readonly number[] = Object.keys(refusals).map(Number);

/** Entra's error response. An unknown number gives a plain `invalid_request`. */
export function aadsts(
  code: number,
  subject: Partial<Subject>,
  options: { correlationId?: string | undefined; retryAfterSeconds?: number | null | undefined } = {},
): SimulatorReply {
  const entry = refusals[code] ?? { error: 'invalid_request', status: 400, text: says('The request was refused.') };
  const text = entry.text({ clientId: '', tenant: '', resource: '', reason: '', ...subject });
  const traceId = randomUUID();
  const correlationId = options.correlationId ?? randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  // `null`: no `Retry-After` header.
  const retryAfter =
    options.retryAfterSeconds === null ? undefined : (options.retryAfterSeconds ?? entry.retryAfterSeconds);
  return json(
    entry.status,
    {
      error: entry.error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      ...(entry.withoutUri ? {} : { error_uri: `https://login.microsoftonline.com/error?code=${code}` }),
    },
    retryAfter === undefined ? entraHeaders(traceId) : { ...entraHeaders(traceId), 'Retry-After': String(retryAfter) },
  );
}

export function entraHeaders(requestId: string = randomUUID()): Record<string, string> {
  return {
    'Cache-Control': 'no-store, no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    'x-ms-request-id': requestId,
    'x-ms-ests-server': '2.1.21531.5 - WEULR1 ProdSlices',
  };
}
