import { createHash } from 'node:crypto';
import { graphAppId } from '../resources.ts';
import { roleTemplateIds } from '../scenario/person.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import type { World } from '../world.ts';
import type { SignIn } from './authorization-codes.ts';

/** In the `wids` of every member of a tenant. It is no role of an admin. */
const MEMBER_ROLE = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const LIFETIME_SECONDS = 3600;
/** Entra dates its ID tokens back by this, for clients whose clock is behind. */
const BACKDATED_SECONDS = 300;

export interface CodeRefusal {
  code: number;
  about?: string;
}

/** Redeems an authorization code: returns the tokens of the person who has signed in, or an AADSTS number. */
export async function redeemCode(
  world: World,
  tenant: Tenant,
  app: TenantApp,
  form: URLSearchParams,
  credentialKind: string,
): Promise<{ tokens: object } | CodeRefusal> {
  const code = form.get('code') ?? '';
  const signIn = world.codes.find(code);
  if ('code' in signIn) return signIn;
  const refused = refusedRedemption(signIn, tenant, app, form);
  if (refused) return refused;
  world.codes.redeem(code);
  const person = { oid: tenant.objectIdOf(signIn.person), roles: rolesOf(signIn), signIn };
  const scopes = signIn.scopes.filter((scope) => scope !== 'offline_access');
  return {
    tokens: {
      token_type: 'Bearer',
      scope: scopes.join(' '),
      expires_in: LIFETIME_SECONDS - 1,
      ext_expires_in: LIFETIME_SECONDS - 1,
      access_token: await world.tokens.sign(accessClaims(tenant, app, person, credentialKind, scopes)),
      id_token: await world.tokens.sign(idClaims(world, tenant, app, person)),
      ...(form.get('client_info') === '1' && {
        client_info: Buffer.from(JSON.stringify({ uid: person.oid, utid: tenant.id })).toString('base64url'),
      }),
    },
  };
}

function refusedRedemption(
  signIn: SignIn,
  tenant: Tenant,
  app: TenantApp,
  form: URLSearchParams,
): CodeRefusal | undefined {
  if (signIn.tenantId.toLowerCase() !== tenant.id.toLowerCase()) return { code: 700005 };
  if (signIn.clientId.toLowerCase() !== app.scenario.clientId.toLowerCase()) return { code: 70000 };
  const redirectUri = form.get('redirect_uri') ?? '';
  if (signIn.redirectUri !== redirectUri) return { code: 500112, about: redirectUri };
  return provesTheSameClient(signIn.codeChallenge, form.get('code_verifier')) ? undefined : { code: 501481 };
}

/** Proof key for code exchange (RFC 7636). */
function provesTheSameClient(challenge: string | undefined, verifier: string | null): boolean {
  if (challenge === undefined || verifier === null) return challenge === undefined && verifier === null;
  return createHash('sha256').update(verifier).digest('base64url') === challenge;
}

interface SignedIn {
  oid: string;
  roles: string[];
  signIn: SignIn;
}

function rolesOf({ person }: SignIn): string[] {
  return [...person.roles.map((role) => roleTemplateIds[role]), MEMBER_ROLE];
}

/** https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference */
function idClaims(world: World, tenant: Tenant, app: TenantApp, { oid, roles, signIn }: SignedIn) {
  const { clientId, emitsRoles } = app.scenario;
  const { person, nonce, scopes } = signIn;
  const now = Math.floor(tenant.entraNow.getTime() / 1000);
  return {
    ver: '2.0',
    iss: `${world.url}/${tenant.id}/v2.0`,
    aud: clientId,
    // The subject is another one for each app.
    sub: createHash('sha256').update(`${oid}\n${clientId.toLowerCase()}`).digest('base64url'),
    tid: tenant.id,
    iat: now - BACKDATED_SECONDS,
    nbf: now - BACKDATED_SECONDS,
    exp: now + LIFETIME_SECONDS,
    ...(nonce !== undefined && { nonce }),
    ...(scopes.includes('profile') && { oid, name: person.name ?? person.upn, preferred_username: person.upn }),
    ...(scopes.includes('email') && { email: person.upn }),
    ...(emitsRoles && { wids: roles }),
  };
}

/** A delegated token for Graph's user information. The simulated Graph takes tokens of apps only, and refuses it. */
function accessClaims(
  tenant: Tenant,
  app: TenantApp,
  { oid, roles, signIn: { person } }: SignedIn,
  credentialKind: string,
  scopes: readonly string[],
) {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud: graphAppId,
    iss: `https://sts.windows.net/${tenant.id}/`,
    tid: tenant.id,
    appid: app.scenario.clientId,
    app_displayname: app.scenario.displayName,
    appidacr: credentialKind,
    idtyp: 'user',
    oid,
    sub: oid,
    name: person.name ?? person.upn,
    upn: person.upn,
    scp: scopes.join(' '),
    wids: roles,
    iat: now,
    nbf: now - BACKDATED_SECONDS,
    exp: now + LIFETIME_SECONDS - 1,
  };
}
