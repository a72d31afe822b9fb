import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline';
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  type ClientSecretCredentialOptions,
  type TokenCredential,
} from '@azure/identity';
import { decodeJwt } from 'jose';
import { classify } from '../../causes/classify.ts';
import type { AppToken, TokenAnswer } from '../../connections/tokens.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { readRetryAfter } from '../retry-after.ts';
import { readEntraRefusal } from './entra-refusal.ts';

/** How the app proves who it is. */
export type AppProof =
  | { kind: 'clientSecret'; clientSecret: Secret }
  /** The certificate with its private key, as PEM. */
  | { kind: 'certificate'; pem: Secret }
  /** A signed client assertion, or a token of a federated identity. */
  | { kind: 'assertion'; assertion: Secret };

interface TokenRequest {
  loginUrl: string;
  tenantId: string;
  clientId: string;
  proof: AppProof;
  /** Without `/.default`. */
  resource: string;
}

/**
 * Asks Microsoft Entra for one token, once.
 *
 * A refusal is an answer. Rejects with `microsoft_throttled` or `microsoft_unavailable` if a retry may help.
 */
export async function requestToken(
  deps: { clock: Clock; timeoutMs: number },
  request: TokenRequest,
): Promise<TokenAnswer> {
  const last: { response?: PipelineResponse } = {};
  // Each request gets a new credential, because a credential has a cache that we could not clear.
  const credential = credentialOf(request, {
    authorityHost: request.loginUrl,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: keepResponse(last, deps.timeoutMs), position: 'perRetry' }],
  });
  try {
    const issued = await credential.getToken(`${request.resource}/.default`);
    if (!issued) throw new Error('no token was issued');
    const { token, expiresOnTimestamp } = issued;
    const expiresAt = new Date(expiresOnTimestamp);
    return { granted: true, value: { token: new Secret(token), expiresAt, claims: readClaims(token) } };
  } catch (error) {
    return toAnswer(deps.clock, last.response, error);
  }
}

function credentialOf(
  { tenantId, clientId, proof }: TokenRequest,
  options: ClientSecretCredentialOptions,
): TokenCredential {
  switch (proof.kind) {
    case 'clientSecret':
      return new ClientSecretCredential(tenantId, clientId, proof.clientSecret.reveal(), options);
    case 'certificate':
      return new ClientCertificateCredential(tenantId, clientId, { certificate: proof.pem.reveal() }, options);
    case 'assertion':
      return new ClientAssertionCredential(tenantId, clientId, async () => proof.assertion.reveal(), options);
  }
}

/**
 * Keeps the last raw response. The errors of the library do not always carry its content: for an unknown tenant it
 * throws a sentence about endpoints, without the AADSTS number of the response.
 */
function keepResponse(last: { response?: PipelineResponse }, timeoutMs: number): PipelinePolicy {
  return {
    name: 'keepResponse',
    async sendRequest(request, next) {
      delete last.response;
      request.timeout = timeoutMs;
      last.response = await next(request);
      return last.response;
    },
  };
}

function toAnswer(clock: Clock, response: PipelineResponse | undefined, error: unknown): TokenAnswer {
  const retryAfterSeconds = readRetryAfter(response?.headers.get('retry-after'), clock.now());
  const options = { cause: error, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  if (!response || response.status < 400) {
    throw new DomainError('microsoft_unavailable', 'Microsoft Entra did not answer. Try again later.', options);
  }
  const refusal = readEntraRefusal(response.status, response.bodyAsText ?? '', response.headers.get('x-ms-request-id'));
  const cause = classify(refusal);
  if (cause === 'throttled') {
    throw new DomainError(
      'microsoft_throttled',
      'Microsoft Entra is throttling our requests. Try again later.',
      options,
    );
  }
  if (cause === 'microsoft_unavailable') {
    throw new DomainError(
      'microsoft_unavailable',
      'Microsoft Entra is temporarily unavailable. Try again later.',
      options,
    );
  }
  return { granted: false, refusal };
}

/** Reads the claims without validation, for explanations only. */
function readClaims(token: string): AppToken['claims'] {
  try {
    const claims = decodeJwt(token);
    const { tid, appid, azp, oid, roles } = claims;
    const appId = typeof appid === 'string' ? appid : azp;
    return {
      ...(typeof tid === 'string' && { tenantId: tid.toLowerCase() }),
      ...(typeof claims.aud === 'string' && { audience: claims.aud }),
      ...(typeof appId === 'string' && { appId: appId.toLowerCase() }),
      ...(typeof oid === 'string' && { objectId: oid.toLowerCase() }),
      roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    };
  } catch {
    return { roles: [] };
  }
}
