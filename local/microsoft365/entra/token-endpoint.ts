import type { SimulatorReply, SimulatorRequest, Trace } from '../http.ts';
import { json } from '../http.ts';
import { audienceOf, graphAudience, rolesFor, vaultAudience } from '../resources.ts';
import { isExpired, type Tenant, type TenantApp } from '../tenant.ts';
import { credentialName, stableGuid, type TokenClaims } from '../token-issuer.ts';
import type { World } from '../world.ts';
import { aadsts, entraHeaders } from './aadsts.ts';
import { type AssertionRefusal, checkClientAssertion } from './client-assertion.ts';

const isGuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
const zeroGuid = '00000000-0000-0000-0000-000000000000';

interface TokenRequest {
  tenant: string;
  form: URLSearchParams;
  clientId: string;
  secret: string | undefined;
  correlationId: string | undefined;
}

/** `POST /{tenant}/oauth2/v2.0/token`, for client credentials only. README.md lists the order of the checks. */
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
  const tenant = world.tenant(tenantName);
  if (!tenant) return refuse(isGuid(tenantName) || tenantName.includes('.') ? 90002 : 900023);
  trace.tenantId = tenant.id;
  if (!isGuid(input.clientId) || input.clientId === zeroGuid) return refuse(700038);
  const app = tenant.app(input.clientId);
  if (!app) return refuse(700016);
  const refused = refusedByScenario(tenant, app, input);
  if (refused) return refused;
  if (app.scenario.consent === 'absent') return refuse(7000229);
  const credential = await checkCredential(tenant, app, input);
  if ('code' in credential) return refuse(credential.code, '', credential.about);
  if (!app.scenario.enabled) return refuse(7000112);
  const resource = readScope(input.form.get('scope') ?? '');
  if ('code' in resource) return refuse(resource.code, input.form.get('scope') ?? '');
  const audience = resource.name === world.url ? graphAudience : audienceOf(resource.name);
  const isMissing = tenant.scenario.missingResources.some((name) => audienceOf(name) === audience);
  if (!audience || audience === vaultAudience || isMissing) return refuse(500011, resource.name);
  return await grant(world, tenant.scenario.tokenSeconds, claimsFor(tenant, app, audience, credential));
}

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
  if (grantType !== 'client_credentials') return { code: 70003, about: grantType };
  if (!clientId) return { code: 900144, about: 'client_id' };
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
  tenant: Tenant,
  app: TenantApp,
  { form, secret }: TokenRequest,
): Promise<{ name: string; kind: '1' | '2' } | AssertionRefusal> {
  const assertion = form.get('client_assertion');
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

function claimsFor(
  tenant: Tenant,
  app: TenantApp,
  audience: string,
  credential: { name: string; kind: '1' | '2' },
): Omit<TokenClaims, 'exp'> {
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

/** The operator's own tenant issues tokens for Key Vault to one client. */
async function answerHomeTenant(
  world: World,
  home: NonNullable<World['home']>,
  input: TokenRequest,
  refuse: (code: number, resource?: string) => SimulatorReply,
): Promise<SimulatorReply> {
  if (input.clientId.toLowerCase() !== home.clientId.toLowerCase()) return refuse(700016);
  if (!input.secret) return refuse(7000218);
  if (input.secret !== home.clientSecret) return refuse(7000215);
  const resource = readScope(input.form.get('scope') ?? '');
  if ('code' in resource) return refuse(resource.code);
  const audience = audienceOf(resource.name);
  if (audience !== vaultAudience) return refuse(500011, resource.name);
  const objectId = stableGuid(home.tenantId, home.clientId);
  return await grant(world, 3599, {
    aud: audience,
    iss: `https://sts.windows.net/${home.tenantId}/`,
    tid: home.tenantId,
    appid: home.clientId,
    appidacr: '1',
    idtyp: 'app',
    oid: objectId,
    sub: objectId,
  });
}

async function grant(world: World, seconds: number, claims: Omit<TokenClaims, 'exp'>): Promise<SimulatorReply> {
  const now = Math.floor(Date.now() / 1000);
  const whole = { ...claims, iat: now, nbf: now - 300, exp: now + seconds } as TokenClaims;
  const token = await world.tokens.sign(whole);
  return json(
    200,
    { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token },
    entraHeaders(),
  );
}
