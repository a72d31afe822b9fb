import type { ServerResponse } from 'node:http';
import { forbiddenByRbac, VaultError } from './vault-error.ts';

export const VAULT_AUDIENCE = 'https://vault.azure.net';

export type VerifyToken = (token: string, audience: string) => Promise<Record<string, unknown>>;

export interface TokenCheckOptions {
  verify: VerifyToken;
  loginUrl: string;
  tenantId: string;
  clientIds?: readonly string[];
}

/**
 * Creates the check of a request's bearer token. A refusal carries a challenge that names the authority and the resource.
 * Clients send their first request without a token to learn them.
 */
export function createTokenCheck(options: TokenCheckOptions) {
  const challenge = `Bearer authorization="${options.loginUrl}/${options.tenantId}", resource="${VAULT_AUDIENCE}"`;
  return async (authorization: string | undefined, response: ServerResponse): Promise<Record<string, unknown>> => {
    const claims = await verifiedClaims(options, authorization).catch((error: unknown) => {
      response.setHeader('WWW-Authenticate', challenge);
      throw error;
    });
    const appId = String(claims.appid ?? '').toLowerCase();
    const isAllowed = options.clientIds?.some((id) => id.toLowerCase() === appId) ?? true;
    if (!isAllowed) throw forbiddenByRbac(appId);
    return claims;
  };
}

async function verifiedClaims(
  options: TokenCheckOptions,
  authorization: string | undefined,
): Promise<Record<string, unknown>> {
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (!token) throw unauthorized('AKV10000: Request is missing a Bearer or PoP token.');
  const claims = await options.verify(token, VAULT_AUDIENCE).catch(() => {
    const audience = audienceOf(token);
    throw unauthorized(
      audience === undefined || audience === VAULT_AUDIENCE
        ? 'Error validating token.'
        : `AKV10022: Invalid audience. Expected ${VAULT_AUDIENCE}, found: ${audience}.`,
    );
  });
  if (String(claims.tid).toLowerCase() !== options.tenantId.toLowerCase()) {
    throw unauthorized(`AKV10032: Invalid issuer. Expected one of https://sts.windows.net/${options.tenantId}/.`);
  }
  return claims;
}

const unauthorized = (message: string) => new VaultError(401, 'Unauthorized', message);

/** The audience that an unverified token claims. Only for the text of a refusal. */
function audienceOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return claims && typeof claims === 'object' && 'aud' in claims ? String(claims.aud) : undefined;
  } catch {
    return undefined;
  }
}
