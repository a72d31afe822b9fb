import { graphAppId } from '../resources.ts';
import type { World } from '../world.ts';

/** The message of a 401 with a claims challenge. */
export const claimsMessage =
  'Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp';

/** The `WWW-Authenticate` header of every 401. */
export function challenge({ url }: World): string {
  return `Bearer realm="", authorization_uri="${url}/common/oauth2/authorize", client_id="${graphAppId}"`;
}

/** The claims challenge of continuous access evaluation: the next token must be issued after `now`. */
export function claimsChallenge(world: World, now: Date): string {
  const notBefore = { essential: true, value: String(Math.floor(now.getTime() / 1000)) };
  const claims = Buffer.from(JSON.stringify({ access_token: { nbf: notBefore } })).toString('base64');
  return `${challenge(world)}, error="insufficient_claims", claims="${claims}"`;
}
