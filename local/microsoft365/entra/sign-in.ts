import { html, type SimulatorReply, type SimulatorRequest, type Trace } from '../http.ts';
import type { ScenarioPerson } from '../scenario/person.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import { credentialName } from '../token-issuer.ts';
import type { World } from '../world.ts';
import { escaped, hiddenFields, page } from './page.ts';

const openIdScopes = ['openid', 'profile', 'email', 'offline_access'];

interface SignInRequest {
  /** More than one at `/organizations` and `/common`. */
  tenants: readonly Tenant[];
  clientId: string;
  redirectUri: string;
  state: string | undefined;
  scopes: readonly string[];
  nonce: string | undefined;
  codeChallenge: string | undefined;
}

/** Entra shows these on its own page, because it must not redirect. */
interface Problem {
  problem: string;
}

/** Entra redirects with these. */
interface Refused {
  redirectUri: string;
  state: string | undefined;
  refused: Record<string, string>;
}

type Read = (name: string) => string | undefined;

/**
 * The page on which a person signs in (authorization code flow). `GET` shows it. Its buttons `POST` the field `person`
 * (a user principal name) or `decision` (`cancel`) and get Entra's redirect.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export function answerSignIn(
  world: World,
  tenantName: string,
  request: SimulatorRequest,
  trace: Trace,
): SimulatorReply {
  const fields = request.method === 'POST' ? new URLSearchParams(request.body.toString('utf8')) : request.query;
  const read: Read = (name) => fields.get(name) ?? request.query.get(name) ?? undefined;
  trace.clientId = read('client_id');
  const signIn = readSignInRequest(world, tenantName, read);
  if ('problem' in signIn) return html(400, page('Sign in', `<p>${escaped(signIn.problem)}</p>`));
  if ('refused' in signIn) return redirect(signIn, signIn.refused);
  if (request.method === 'GET') return html(200, signInPage(tenantName, signIn, read));
  if (read('decision') === 'cancel') return redirect(signIn, { error: 'access_denied', error_subcode: 'cancel' });
  return giveCode(world, signIn, read('person') ?? '', trace);
}

function giveCode(world: World, request: SignInRequest, upn: string, trace: Trace): SimulatorReply {
  const { clientId, redirectUri, scopes, nonce, codeChallenge } = request;
  const found = peopleOf(request).find(({ person }) => person.upn.toLowerCase() === upn.toLowerCase());
  if (!found) {
    const problem = `AADSTS50034: The user account ${upn} does not exist in the directory. To sign into this application, the account must be added to the directory.`;
    return html(400, page('Sign in', `<p>${escaped(problem)}</p>`));
  }
  const { tenant, person } = found;
  const code = world.codes.issue({ tenantId: tenant.id, clientId, redirectUri, scopes, nonce, codeChallenge, person });
  trace.tenantId = tenant.id;
  trace.codeName = credentialName(code);
  return redirect(request, { code });
}

function readSignInRequest(world: World, tenantName: string, read: Read): SignInRequest | Problem | Refused {
  for (const name of ['client_id', 'response_type', 'scope']) {
    if (!read(name)) {
      return { problem: `AADSTS900144: The request body must contain the following parameter: '${name}'.` };
    }
  }
  const clientId = read('client_id') ?? '';
  const isShared = /^(common|organizations)$/i.test(tenantName);
  const named = isShared ? undefined : world.tenant(tenantName);
  if (!isShared && !named) return { problem: `AADSTS90002: Tenant '${tenantName}' not found.` };
  const tenants = (named ? [named] : world.tenants()).filter((tenant) => isInstalled(tenant.app(clientId)));
  const app = tenants[0]?.app(clientId);
  if (!app) {
    return {
      problem: `AADSTS700016: Application with identifier '${clientId}' was not found in the directory '${named?.scenario.name ?? 'Microsoft'}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
    };
  }
  if (!app.scenario.enabled) return { problem: `AADSTS7000112: Application '${clientId}' is disabled.` };
  const redirectUri = read('redirect_uri') ?? '';
  const isRegistered = app.scenario.redirectUris?.includes(redirectUri) ?? true;
  if (!URL.canParse(redirectUri) || !/^https?:/.test(redirectUri) || !isRegistered) {
    return {
      problem: `AADSTS50011: The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'.`,
    };
  }
  const state = read('state');
  const refused = refusedParameter(app, read);
  if (refused) return { redirectUri, state, refused };
  const scopes = scopesOf(read);
  return { tenants, clientId, redirectUri, state, scopes, nonce: read('nonce'), codeChallenge: read('code_challenge') };
}

/** Whether the tenant has a service principal of the app. A person can sign in to nothing else. */
function isInstalled(app: TenantApp | undefined): boolean {
  return app !== undefined && (app.scenario.consent === 'granted' || app.scenario.consent === 'none');
}

const scopesOf = (read: Read) => (read('scope') ?? '').split(/\s+/).filter(Boolean);

/** What Entra says to the app about a parameter that is not valid. */
function refusedParameter({ scenario }: TenantApp, read: Read): Record<string, string> | undefined {
  const responseType = read('response_type') ?? '';
  if (responseType !== 'code') {
    return refusal('unsupported_response_type', `AADSTS700051: response_type '${responseType}' is not enabled.`);
  }
  const mode = read('response_mode') ?? 'query';
  if (mode !== 'query') return refusal('invalid_request', `AADSTS90023: response_mode '${mode}' is not simulated.`);
  const scopes = scopesOf(read);
  const other = scopes.find((scope) => !openIdScopes.includes(scope));
  if (other !== undefined) {
    return refusal(
      'invalid_client',
      `AADSTS650053: The application '${scenario.displayName}' asked for scope '${other}' that doesn't exist on the resource '00000003-0000-0000-c000-000000000000'. Contact the app vendor.`,
    );
  }
  if (!scopes.includes('openid')) {
    return refusal('invalid_scope', `AADSTS70011: The scope ${scopes.join(' ')} is not valid. Add the scope openid.`);
  }
  if (read('prompt') === 'none') {
    return refusal('login_required', 'AADSTS50058: A silent sign-in request was sent but no user is signed in.');
  }
  return refusedChallenge(read('code_challenge'), read('code_challenge_method'));
}

/** A challenge is the SHA-256 of the verifier. Entra also takes the verifier itself (`plain`), which proves nothing. */
function refusedChallenge(challenge: string | undefined, method: string | undefined) {
  if (challenge === undefined && method === undefined) return undefined;
  if (method !== 'S256') {
    return refusal('invalid_request', `AADSTS9002330: code_challenge_method '${method ?? 'plain'}' is not simulated.`);
  }
  if (/^[\w-]{43}$/.test(challenge ?? '')) return undefined;
  return refusal('invalid_request', 'AADSTS501491: Invalid size of Code_Challenge parameter.');
}

const refusal = (error: string, description: string) => ({ error, error_description: description });

function redirect(
  { redirectUri, state }: { redirectUri: string; state: string | undefined },
  values: Record<string, string>,
): SimulatorReply {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(values)) target.searchParams.set(name, value);
  if (state !== undefined) target.searchParams.set('state', state);
  return { status: 302, headers: { Location: target.toString(), 'Cache-Control': 'no-store' } };
}

function peopleOf({ tenants }: SignInRequest): { tenant: Tenant; person: ScenarioPerson }[] {
  return tenants.flatMap((tenant) => tenant.people.map((person) => ({ tenant, person })));
}

const passedOn = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
];

function signInPage(tenantName: string, request: SignInRequest, read: Read): string {
  const appName = request.tenants[0]?.app(request.clientId)?.scenario.displayName ?? '';
  const people = peopleOf(request).map(
    ({ person: { upn, name, roles } }) =>
      `<li><button name="person" value="${escaped(upn)}">${escaped(name ?? upn)} (${escaped(upn)})</button> ${escaped(roles.join(', ') || 'no directory role')}</li>`,
  );
  const hidden = hiddenFields(Object.fromEntries(passedOn.map((name) => [name, read(name)])));
  return page(
    'Pick an account',
    `<p>to continue to <strong>${escaped(appName)}</strong></p>
<form method="post" action="/${escaped(encodeURIComponent(tenantName))}/oauth2/v2.0/authorize">${hidden}
<ul>${people.join('')}</ul><button name="decision" value="cancel">Cancel</button></form>`,
  );
}
