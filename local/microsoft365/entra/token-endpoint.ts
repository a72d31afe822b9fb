import type { SimulatorReply, SimulatorRequest, Trace } from '../http.ts';
import { json } from '../http.ts';
import { audienceOf, graphAudience, rolesFor, tokenExchange, vaultAudience } from '../resources.ts';
import { deploymentCredential, isExpired, type Tenant, type TenantApp } from '../tenant.ts';
import { credentialName } from '../token-issuer.ts';
import type { World } from '../world.ts';
import { aadsts, entraHeaders } from './aadsts.ts';
import { type AssertionRefusal, checkClientAssertion } from './client-assertion.ts';
import { redeemCode } from './code-grant.ts';
import { isFederated, objectIdOfHome, refusedFederatedAssertion } from './federated-assertion.ts';

const isGuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
const zeroGuid = '00000000-0000-0000-0000-000000000000';

interface TokenRequest {
  tenant: string;
  form: URLSearchParams;
  clientId: string;
  secret: string | undefined;
  correlationId: string | undefined;
}

/**
 * `POST /{tenant}/oauth2/v2.0/token`, for client credentials and authorization codes. README.md lists the order of the
 * checks.
 */
export async function answerTokenRequest(
  world: World,
  tenantName: string,
  request: SimulatorRequest,
  trace: Trace,
): Promise<SimulatorReply> {
  const input = readTokenRequest(tenantName, request);
  trace.clientId = input.clientId;
  const refuse = (code: number, resource = '', reason = '') => {
    const about = { clientId: input.clientId, tenant: tenantName, resource, reason };
    return aadsts(code, about, { correlationId: input.correlationId });
  };

  const malformed = findMalformedField(input);
  if (malformed) return refuse(malformed.code, malformed.about);
  if (world.home && tenantName.toLowerCase() === world.home.tenantId.toLowerCase()) {
    return await answerHomeTenant(world, world.home, input, refuse);
  }
  const tenant = tenantOf(world, input);
  if (!tenant) return refuse(isGuid(tenantName) || tenantName.includes('.') ? 90002 : 900023);
  trace.tenantId = tenant.id;
  if (!isGuid(input.clientId) || input.clientId === zeroGuid) return refuse(700038);
  const app = tenant.app(input.clientId);
  if (!app) return refuse(700016);
  const refused = refusedByScenario(tenant, app, input);
  if (refused) return refused;
  if (app.scenario.consent === 'absent') return refuse(7000229);
  const credential = await checkCredential(world, tenant, app, input);
  if ('code' in credential) return refuse(credential.code, '', credential.about);
  if (!app.scenario.enabled) return refuse(7000112);
  if (input.form.get('grant_type') === 'authorization_code') {
    trace.codeName = credentialName(input.form.get('code') ?? '');
    const redeemed = await redeemCode(world, tenant, app, input.form, credential.kind);
    return 'code' in redeemed ? refuse(redeemed.code, redeemed.about) : json(200, redeemed.tokens, entraHeaders());
  }
  const resource = readScope(input.form.get('scope') ?? '');
  if ('code' in resource) return refuse(resource.code, input.form.get('scope') ?? '');
  const audience = resource.name === world.url ? graphAudience : audienceOf(resource.name);
  const isMissing = tenant.scenario.missingResources.some((name) => audienceOf(name) === audience);
  if (!audience || audience === vaultAudience || isMissing) return refuse(500011, resource.name);
  return await grant(world, tenant.scenario.tokenSeconds, claimsFor(tenant, app, audience, credential));
}

/** At `/common` and `/organizations`, a code names the tenant of the person who has signed in. */
function tenantOf(world: World, { tenant, form }: TokenRequest): Tenant | undefined {
  if (!isShared(tenant)) return world.tenant(tenant);
  const signIn = world.codes.find(form.get('code') ?? '');
  if (!('code' in signIn)) return world.tenant(signIn.tenantId);
  return world.tenants().find((candidate) => candidate.app(form.get('client_id') ?? ''));
}

const isShared = (tenant: string) => /^(common|organizations)$/i.test(tenant);

function readTokenRequest(tenant: string, request: SimulatorRequest): TokenRequest {
  const form = new URLSearchParams(request.body.toString('utf8'));
  const basic = /^Basic (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
  const [user = '', ...rest] = basic ? Buffer.from(basic, 'base64').toString('utf8').split(':') : [];
  const correlationId = request.header('client-request-id') ?? form.get('client-request-id') ?? undefined;
  return {
    tenant,
    form,
    clientId: form.get('client_id') ?? formDecoded(user),
    secret: form.get('client_secret') ?? (basic ? formDecoded(rest.join(':')) : undefined),
    correlationId: correlationId && isGuid(correlationId) ? correlationId : undefined,
  };
}

/** A Basic header carries the id and the secret form-encoded (RFC 6749, section 2.3.1). */
const formDecoded = (text: string) => new URLSearchParams(`x=${text}`).get('x') ?? '';

function findMalformedField({ form, clientId, tenant }: TokenRequest): { code: number; about: string } | undefined {
  const grantType = form.get('grant_type');
  if (!grantType) return { code: 900144, about: 'grant_type' };
  if (grantType !== 'client_credentials' && grantType !== 'authorization_code')
    return { code: 70003, about: grantType };
  if (!clientId) return { code: 900144, about: 'client_id' };
  if (grantType === 'authorization_code') {
    const missing = ['code', 'redirect_uri'].find((name) => !form.get(name));
    return missing === undefined ? undefined : { code: 900144, about: missing };
  }
  if (!form.get('scope')) return { code: 900144, about: 'scope' };
  if (/^(common|consumers)$/i.test(tenant)) return { code: 9001023, about: tenant };
  if (/^organizations$/i.test(tenant)) return { code: 50059, about: tenant };
  return undefined;
}

/** The error that the scenario sets for every token request of the app. */
function refusedByScenario(tenant: Tenant, app: TenantApp, input: TokenRequest): SimulatorReply | undefined {
  const { tokenError } = app.scenario;
  if (tokenError === null) return undefined;
  const about = { clientId: input.clientId, tenant: input.tenant, resource: input.form.get('scope') ?? '' };
  const { correlationId } = input;
  if (tokenError === 'noAnswer') return { status: 0, headers: {}, noReply: 'hang' };
  if (tokenError === 'down') return aadsts(90033, about, { correlationId });
  if (tokenError === 'throttled') {
    const { throttle } = tenant.scenario;
    const seconds = throttle?.omitRetryAfter ? null : throttle?.retryAfterSeconds;
    return aadsts(90055, about, { correlationId, retryAfterSeconds: seconds });
  }
  return aadsts(Number(String(tokenError).replace(/^AADSTS/, '')), about, { correlationId });
}

async function checkCredential(
  world: World,
  tenant: Tenant,
  app: TenantApp,
  { form, secret }: TokenRequest,
): Promise<{ name: string; kind: '1' | '2' } | AssertionRefusal> {
  const assertion = form.get('client_assertion');
  if (assertion && isFederated(app.scenario, assertion)) {
    const refused = await refusedFederatedAssertion(world, app.scenario, assertion, tenant.entraNow);
    return refused ?? { name: deploymentCredential, kind: '2' };
  }
  if (assertion) {
    const tenantNames = [tenant.id, ...tenant.scenario.domains];
    const checked = await checkClientAssertion(app.scenario, assertion, tenantNames, tenant.entraNow);
    if ('code' in checked) return checked;
    return { name: credentialName(checked.thumbprint.toLowerCase()), kind: '2' };
  }
  if (!secret) return { code: 7000218 };
  const matching = app.scenario.secrets.filter(({ value }) => value === secret);
  if (matching.length === 0) return { code: 7000215 };
  if (matching.every((candidate) => isExpired(candidate, Date.now()))) return { code: 7000222 };
  return { name: credentialName(secret), kind: '1' };
}

/** Reads the resource from a scope, which must be exactly one `<resource>/.default`. */
function readScope(scope: string): { name: string } | { code: number } {
  const scopes = scope.split(/\s+/).filter((part) => !/^(openid|profile|offline_access|)$/.test(part));
  if (scopes.length > 1) return { code: 28000 };
  const [only = ''] = scopes;
  if (!only.endsWith('/.default')) return { code: 70011 };
  return { name: only.slice(0, -'/.default'.length).replace(/\/+$/, '') };
}

function claimsFor(tenant: Tenant, app: TenantApp, audience: string, credential: { name: string; kind: '1' | '2' }) {
  const roles = rolesFor(audience, app.grants);
  return {
    aud: audience,
    iss: `https://sts.windows.net/${tenant.id}/`,
    tid: tenant.id,
    appid: app.scenario.clientId,
    app_displayname: app.scenario.displayName,
    appidacr: credential.kind,
    idtyp: 'app',
    // Entra issues tokens even without a usable service principal. They have no `oid`.
    ...(app.scenario.identityMissing ? {} : { oid: app.objectId, sub: app.objectId }),
    ...(roles.length > 0 ? { roles } : {}),
    xms_cred: credential.name,
  };
}

/** The operator's own tenant issues tokens to one client: for Key Vault, and for the federated credentials of apps. */
async function answerHomeTenant(
  world: World,
  home: NonNullable<World['home']>,
  input: TokenRequest,
  refuse: (code: number, resource?: string) => SimulatorReply,
): Promise<SimulatorReply> {
  if (input.clientId.toLowerCase() !== home.clientId.toLowerCase()) return refuse(700016);
  if (input.form.get('grant_type') !== 'client_credentials') return refuse(70003, 'authorization_code');
  if (!input.secret) return refuse(7000218);
  if (input.secret !== home.clientSecret) return refuse(7000215);
  const resource = readScope(input.form.get('scope') ?? '');
  if ('code' in resource) return refuse(resource.code);
  const objectId = objectIdOfHome(home);
  const common = { tid: home.tenantId, idtyp: 'app', oid: objectId, sub: objectId };
  if (resource.name.toLowerCase() === tokenExchange.resource.toLowerCase()) {
    return await grant(world, 3599, {
      ...common,
      ver: '2.0',
      aud: tokenExchange.audience,
      iss: `${world.url}/${home.tenantId}/v2.0`,
      azp: home.clientId,
      azpacr: '1',
    });
  }
  const audience = audienceOf(resource.name);
  if (audience !== vaultAudience) return refuse(500011, resource.name);
  return await grant(world, 3599, {
    ...common,
    aud: audience,
    iss: `https://sts.windows.net/${home.tenantId}/`,
    appid: home.clientId,
    appidacr: '1',
  });
}

async function grant(world: World, seconds: number, claims: Record<string, unknown>): Promise<SimulatorReply> {
  const now = Math.floor(Date.now() / 1000);
  const token = await world.tokens.sign({ ...claims, iat: now, nbf: now - 300, exp: now + seconds });
  return json(
    200,
    { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token },
    entraHeaders(),
  );
}
