import { graphAudience } from '../resources.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import type { TokenClaims } from '../token-issuer.ts';
import type { World } from '../world.ts';
import { challenge, claimsChallenge, claimsMessage } from './challenge.ts';
import type { RequestIds } from './graph-call.ts';
import { frontDoorError, type GraphResponse } from './responses.ts';

/** The app that the token names, as the tenant knows it now. */
export interface Caller {
  claims: TokenClaims;
  tenant: Tenant;
  app: TenantApp;
}

const messages = {
  empty: 'Access token is empty.',
  malformed:
    'IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact Serialization Format.',
  forged: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
  audience: 'Access token validation failure. Invalid audience.',
  tenant: 'Access token validation failure. Invalid issuer.',
} as const;

/** The first two steps of docs/microsoft365.md, "Order of evaluation": the token, then the app that it names. */
export async function authenticate(
  world: World,
  header: string | undefined,
  ids: RequestIds,
): Promise<{ caller: Caller } | { refused: GraphResponse }> {
  const token = /^Bearer\s+(.*)$/i.exec(header ?? '')?.[1]?.trim() ?? '';
  const verified = await world.tokens.verify(token);
  if (!verified.ok) return { refused: invalidToken(world, ids, messages[verified.why]) };
  const { claims } = verified;
  if (claims.aud !== graphAudience) return { refused: invalidToken(world, ids, messages.audience) };
  const tenant = world.tenant(claims.tid);
  if (!tenant) return { refused: invalidToken(world, ids, messages.tenant) };
  const app = tenant.app(claims.appid);
  if (!app || app.scenario.consent === 'absent' || app.scenario.identityMissing) {
    return {
      refused: frontDoorError(
        ids,
        401,
        'Authorization_IdentityNotFound',
        'The identity of the calling application could not be established.',
        { 'WWW-Authenticate': challenge(world) },
      ),
    };
  }
  if (!app.scenario.enabled) {
    return {
      refused: frontDoorError(
        ids,
        403,
        'Authorization_IdentityDisabled',
        'The identity of the calling application is disabled.',
      ),
    };
  }
  if (claims.xms_cred && !app.hasCredential(claims.xms_cred, Date.now())) return { refused: revoked(world, ids) };
  return { caller: { claims, tenant, app } };
}

function invalidToken(world: World, ids: RequestIds, message: string): GraphResponse {
  return frontDoorError(ids, 401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': challenge(world) });
}

/**
 * The token's credential has expired or was removed. Continuous access evaluation then revokes the token, so a scenario
 * that changes during a run takes effect immediately and not when the token expires an hour later.
 */
function revoked(world: World, ids: RequestIds): GraphResponse {
  return frontDoorError(ids, 401, 'InvalidAuthenticationToken', claimsMessage, {
    'WWW-Authenticate': claimsChallenge(world, new Date()),
  });
}
