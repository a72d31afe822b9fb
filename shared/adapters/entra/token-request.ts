import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline';
import { ClientSecretCredential } from '@azure/identity';
import { decodeJwt } from 'jose';
import { classify } from '../../causes/classify.ts';
import type { AppToken, TokenAnswer } from '../../connections/tokens.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { readRetryAfter } from '../retry-after.ts';
import { readEntraRefusal } from './entra-refusal.ts';

export interface TokenRequest {
  loginUrl: string;
  tenantId: string;
  clientId: string;
  clientSecret: Secret;
  /** The resource that the token is for, without `/.default`. */
  resource: string;
}

/**
 * Asks Microsoft Entra for one token, once.
 *
 * A refusal is an answer. Rejects with `microsoft_throttled` or `microsoft_unavailable` when waiting helps.
 */
export async function requestToken(
  needs: { clock: Clock; timeoutMs: number },
  request: TokenRequest,
): Promise<TokenAnswer> {
  const seen: { response?: PipelineResponse } = {};
  // A new credential each time: it has a cache of its own, which would outlive what we forget.
  const credential = new ClientSecretCredential(request.tenantId, request.clientId, request.clientSecret.reveal(), {
    authorityHost: request.loginUrl,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: observe(seen, needs.timeoutMs), position: 'perRetry' }],
  });
  try {
    const { token, expiresOnTimestamp } = await credential.getToken(`${request.resource}/.default`);
    const expiresAt = new Date(expiresOnTimestamp);
    return { granted: true, value: { token: new Secret(token), expiresAt, shows: readClaims(token) } };
  } catch (error) {
    return judge(needs.clock, seen.response, error);
  }
}

/**
 * Keeps the last answer as it came. What the library throws depends on where it failed: for an unknown tenant it is a
 * sentence about endpoints, without the AADSTS number that the answer carried.
 */
function observe(seen: { response?: PipelineResponse }, timeoutMs: number): PipelinePolicy {
  return {
    name: 'observeAnswer',
    async sendRequest(request, next) {
      delete seen.response;
      request.timeout = timeoutMs;
      seen.response = await next(request);
      return seen.response;
    },
  };
}

function judge(clock: Clock, response: PipelineResponse | undefined, error: unknown): TokenAnswer {
  const retryAfterSeconds = readRetryAfter(response?.headers.get('retry-after'), clock.now());
  const options = { cause: error, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  if (!response || response.status < 400) {
    throw new DomainError('microsoft_unavailable', 'Microsoft Entra did not answer; try again later.', options);
  }
  const refusal = readEntraRefusal(response.status, response.bodyAsText ?? '', response.headers.get('x-ms-request-id'));
  const cause = classify(refusal);
  if (cause === 'throttled') {
    throw new DomainError('microsoft_throttled', 'Microsoft Entra asks us to slow down; try again later.', options);
  }
  if (cause === 'microsoft_unavailable') {
    throw new DomainError('microsoft_unavailable', 'Microsoft Entra has a fault; try again later.', options);
  }
  return { granted: false, refusal };
}

/** Reads without validation, for explanations only. */
function readClaims(token: string): AppToken['shows'] {
  try {
    const claims = decodeJwt(token);
    const { tid, appid, azp, roles } = claims;
    const appId = typeof appid === 'string' ? appid : azp;
    return {
      ...(typeof tid === 'string' && { tenantId: tid.toLowerCase() }),
      ...(typeof claims.aud === 'string' && { audience: claims.aud }),
      ...(typeof appId === 'string' && { appId: appId.toLowerCase() }),
      roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    };
  } catch {
    return { roles: [] };
  }
}
