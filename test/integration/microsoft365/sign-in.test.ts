import { X509Certificate } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseTenant } from '../../../local/microsoft365/scenario.ts';
import { expectEntraRefusal } from '../../support/entra-refusal.ts';
import { jsonOf } from '../../support/json-of.ts';
import { openSimulator } from '../../support/simulator-client.ts';
import { home, msalApp, proofKey, redirectUri, signIn } from '../../support/vendor-app.ts';
import { type AppInput, at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
const PRIVILEGED_ROLE_ADMINISTRATOR = 'e8611ab8-c189-46e8-94e1-60213ab1f814';
const MEMBER = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const otherApp = 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83';
const scopes = ['openid', 'profile'];

const client = await openSimulator({ tenants: [wingtipTenant()] }, { home });
afterAll(() => client.close());
beforeEach(() => client.put(wingtipTenant()));
afterEach(() => void vi.useRealTimers());

const putApp = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));
const admin = { person: at('admin') };

/** The address of the sign-in page. Parameters that are `undefined` are left out. */
function pageUrl(more: Record<string, string | undefined> = {}, tenant: string = wingtip.id): string {
  const all = {
    client_id: wingtip.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state: 'opaque',
    nonce: 'n-1',
    ...more,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(all)) if (value !== undefined) query.set(name, value);
  return `${client.simulator.url}/${tenant}/oauth2/v2.0/authorize?${query}`;
}

const redeem = (fields: Record<string, string | undefined>, tenant: string = wingtip.id) =>
  client.askToken(
    { grant_type: 'authorization_code', scope: undefined, redirect_uri: redirectUri, ...fields },
    { tenant },
  );

async function codeOf(url = pageUrl()): Promise<string> {
  const { query } = await signIn(url, admin);
  return query.code ?? '';
}

describe('Microsoft’s client library signs a person in', () => {
  const { verifier, challenge } = proofKey();

  async function signInWith(auth: Parameters<typeof msalApp>[1], person: string) {
    const app = msalApp(client, auth);
    const request = { scopes, redirectUri };
    const url = await app.getAuthCodeUrl({
      ...request,
      state: 'opaque',
      nonce: 'n-1',
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
    });
    const { query } = await signIn(url, { person });
    expect(query).toEqual({ code: expect.stringMatching(/^1\./), state: 'opaque' });
    // The nonce belongs to this request: the library refuses a token whose nonce it was not told.
    return await app.acquireTokenByCode({ ...request, code: query.code ?? '', codeVerifier: verifier, nonce: 'n-1' });
  }

  it('with a client secret', async () => {
    const result = await signInWith({ clientSecret: wingtip.clientSecret }, at('admin'));
    expect(result.account).toMatchObject({ username: at('admin'), name: 'Admin', tenantId: wingtip.id });
    expect(result.idTokenClaims).toMatchObject({ wids: [GLOBAL_ADMINISTRATOR, MEMBER], nonce: 'n-1' });
    expect(result.scopes).toEqual(['openid', 'profile']);
  });

  it('with a certificate', async () => {
    const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'app' }], {
      keySize: 2048,
      algorithm: 'sha256',
    });
    const thumbprintSha256 = new X509Certificate(cert).fingerprint256.replaceAll(':', '');
    putApp({ secrets: [], certificates: [{ thumbprint: thumbprintSha256, publicKeyPem: cert }] });
    const result = await signInWith({ clientCertificate: { thumbprintSha256, privateKey } }, at('admin'));
    expect(decodeJwt(result.accessToken)).toMatchObject({ appidacr: '2', upn: at('admin') });
  });

  it('with a token of the deployment’s identity', async () => {
    putApp({ secrets: [], trustsDeployment: true });
    const { body } = await client.askToken(
      {
        client_id: home.clientId,
        client_secret: home.clientSecret,
        scope: 'api://AzureADTokenExchange/.default',
      },
      { tenant: home.tenantId },
    );
    const clientAssertion = async () => body.access_token ?? '';
    const result = await signInWith({ clientAssertion }, at('someone'));
    expect(result.idTokenClaims).toMatchObject({ wids: [MEMBER] });
  });
});

describe('an ID token', () => {
  const idToken = async (url = pageUrl()) => {
    const { body } = await redeem({ code: await codeOf(url) });
    return (body as { id_token?: string }).id_token ?? '';
  };

  it('has the claims of version 2.0, and can be verified with the published keys', async () => {
    const keys = await jsonOf<JSONWebKeySet>(await fetch(`${client.simulator.url}/${wingtip.id}/discovery/v2.0/keys`));
    const { payload } = await jwtVerify(await idToken(), createLocalJWKSet(keys), {
      audience: wingtip.clientId,
      issuer: `${client.simulator.url}/${wingtip.id}/v2.0`,
    });
    expect(payload).toEqual({
      ver: '2.0',
      iss: `${client.simulator.url}/${wingtip.id}/v2.0`,
      aud: wingtip.clientId,
      sub: expect.any(String),
      tid: wingtip.id,
      oid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      nonce: 'n-1',
      name: 'Admin',
      preferred_username: at('admin'),
      wids: [GLOBAL_ADMINISTRATOR, MEMBER],
      iat: expect.any(Number),
      nbf: expect.any(Number),
      exp: expect.any(Number),
      uti: expect.any(String),
    });
  });

  it('names the roles of the person whom the scenario describes', async () => {
    const roles: ['Privileged Role Administrator', 'Exchange Administrator'] = [
      'Privileged Role Administrator',
      'Exchange Administrator',
    ];
    putApp({}, { people: [{ upn: at('admin'), name: 'Ada', roles }] });
    expect(decodeJwt(await idToken())).toMatchObject({
      name: 'Ada',
      wids: [PRIVILEGED_ROLE_ADMINISTRATOR, '29232cdf-9323-42fd-ade2-1d097af3e4de', MEMBER],
    });
  });

  it('has no wids if the registration does not ask for them', async () => {
    putApp({ emitsRoles: false });
    expect(decodeJwt(await idToken())).not.toHaveProperty('wids');
  });

  it('says who the person is only with the scope profile', async () => {
    const claims = decodeJwt(await idToken(pageUrl({ scope: 'openid' })));
    expect(claims.sub).toEqual(expect.any(String));
    for (const name of ['oid', 'name', 'preferred_username']) expect(claims).not.toHaveProperty(name);
  });

  it('has the object id of the person’s mailbox', async () => {
    client.put(wingtipTenant({ mailboxes: [{ address: at('admin') }] }));
    const { body } = await client.graph<{ id: string }>('GET', `/users/${at('admin')}`);
    expect(decodeJwt(await idToken()).oid).toBe(body.id);
  });

  it('is not accepted by Graph, and neither is the access token beside it', async () => {
    const { body } = await redeem({ code: await codeOf() });
    for (const token of [body.access_token ?? '', await idToken()]) {
      expect((await client.graph('GET', '/users', { token })).status).toBe(401);
    }
  });
});

describe('the sign-in page', () => {
  it('shows a button for each person, and passes every parameter on', async () => {
    const people = [{ upn: at('ada'), name: 'Ada "A" <x>' }, { upn: at('ben') }];
    putApp({ displayName: 'Outreach' }, { people });
    const state = '"><script>&';
    const { page, query } = await signIn(pageUrl({ state: encodeURIComponent(state) }), { person: at('ben') });
    expect(page).toContain('Outreach');
    expect([...page.matchAll(/<button name="person" value="([^"]+)">/g)].map(([, upn]) => upn)).toEqual([
      at('ada'),
      at('ben'),
    ]);
    expect(page).not.toContain('<x>');
    expect(query).toMatchObject({ state: encodeURIComponent(state), code: expect.any(String) });
  });

  it('redirects with access_denied if the person cancels', async () => {
    expect((await signIn(pageUrl(), { decision: 'cancel' })).query).toEqual({
      error: 'access_denied',
      error_subcode: 'cancel',
      state: 'opaque',
    });
  });

  it('400: a person who is not of the tenant', async () => {
    const { status, text, query } = await signIn(pageUrl(), { person: 'ada@elsewhere.example' });
    expect([status, query]).toEqual([400, {}]);
    expect(text).toContain('AADSTS50034');
  });

  it.each<[string, string, Record<string, string | undefined>, Partial<AppInput>?, string?]>([
    ['a tenant that nobody knows', 'AADSTS90002', {}, {}, 'nobody.example'],
    ['an app that the tenant does not have', 'AADSTS700016', { client_id: otherApp }],
    ['an app without consent', 'AADSTS700016', {}, { consent: 'required' }],
    ['an app without a service principal', 'AADSTS700016', {}, { consent: 'absent' }],
    ['a disabled app', 'AADSTS7000112', {}, { enabled: false }],
    ['an address that is not registered', 'AADSTS50011', { redirect_uri: 'https://evil.example/' }],
    ['no address', 'AADSTS50011', { redirect_uri: undefined }],
    ['no app', 'AADSTS900144', { client_id: undefined }],
    ['no response type', 'AADSTS900144', { response_type: undefined }],
    ['no scope', 'AADSTS900144', { scope: undefined }],
  ])('400 and no redirect: %s, %s', async (_, code, parameters, app = {}, tenant = wingtip.id) => {
    putApp({ redirectUris: [redirectUri], ...app });
    const response = await fetch(pageUrl(parameters, tenant), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await response.text()).toContain(code);
  });

  it.each<[string, string, Record<string, string | undefined>]>([
    ['unsupported_response_type', 'AADSTS700051', { response_type: 'token' }],
    ['invalid_request', 'AADSTS90023', { response_mode: 'form_post' }],
    ['invalid_client', 'AADSTS650053', { scope: 'openid Mail.Send' }],
    ['invalid_scope', 'AADSTS70011', { scope: 'profile' }],
    ['login_required', 'AADSTS50058', { prompt: 'none' }],
    ['invalid_request', 'AADSTS9002330', { code_challenge: 'x', code_challenge_method: 'plain' }],
    ['invalid_request', 'AADSTS501491', { code_challenge: 'x', code_challenge_method: 'S256' }],
  ])('redirects with %s, %s', async (error, code, parameters) => {
    const response = await fetch(pageUrl(parameters), { redirect: 'manual' });
    const query = Object.fromEntries(new URL(response.headers.get('location') ?? '').searchParams);
    expect([response.status, query]).toEqual([
      302,
      { error, error_description: expect.stringContaining(code), state: 'opaque' },
    ]);
  });

  it.each(['organizations', 'common'])('finds the tenant of the person at /%s', async (shared) => {
    const { query } = await signIn(pageUrl({}, shared), admin);
    const { body } = await redeem({ code: query.code }, shared);
    expect(decodeJwt((body as { id_token?: string }).id_token ?? '').tid).toBe(wingtip.id);
  });
});

describe('an authorization code', () => {
  const invalidGrant = { error: 'invalid_grant', status: 400 };

  it('can be redeemed once', async () => {
    const code = await codeOf();
    expect((await redeem({ code })).status).toBe(200);
    expectEntraRefusal(await redeem({ code }), 54005, invalidGrant);
  });

  it('expires after ten minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const [early, late] = [await codeOf(), await codeOf()];
    vi.setSystemTime(Date.now() + 599_000);
    expect((await redeem({ code: early })).status).toBe(200);
    vi.setSystemTime(Date.now() + 2_000);
    expectEntraRefusal(await redeem({ code: late }), 70008, invalidGrant);
  });

  it.each<[string, number, Record<string, string | undefined>, object]>([
    ['that nobody has given out', 9002313, { code: 'x' }, { error: 'invalid_request', status: 400 }],
    ['without a code', 900144, { code: undefined }, { error: 'invalid_request', status: 400 }],
    ['without its address', 900144, { redirect_uri: undefined }, { error: 'invalid_request', status: 400 }],
    ['with another address', 500112, { redirect_uri: `${redirectUri}/x` }, { error: 'invalid_client', status: 401 }],
    ['with a verifier that nobody expects', 501481, { code_verifier: 'x' }, invalidGrant],
    ['of another app', 70000, { client_id: otherApp, client_secret: 'other' }, invalidGrant],
    ['with a wrong secret', 7000215, { client_secret: 'guess' }, { error: 'invalid_client', status: 401 }],
    ['without a credential', 7000218, { client_secret: undefined }, { error: 'invalid_client', status: 401 }],
  ])('is refused %s: AADSTS%i', async (_, number, fields, row) => {
    client.put(wingtipTenant({ apps: [wingtipApp(), { clientId: otherApp, secrets: [{ value: 'other' }] }] }));
    expectEntraRefusal(await redeem({ code: await codeOf(), ...fields }), number, { ...invalidGrant, ...row });
  });

  it('is refused in another tenant', async () => {
    const other = { id: '0f7c1d52-83be-4a61-9d47-2b5e6a90c3f8', name: 'Other', domains: ['other.example'] };
    client.simulator.world.put(parseTenant({ ...other, apps: [wingtipApp()] }));
    expectEntraRefusal(await redeem({ code: await codeOf() }, other.id), 700005, invalidGrant);
  });

  it('is refused without the verifier of its challenge, and then redeemed with it', async () => {
    const { verifier, challenge } = proofKey();
    const code = await codeOf(pageUrl({ code_challenge: challenge, code_challenge_method: 'S256' }));
    expectEntraRefusal(await redeem({ code }), 501481, invalidGrant);
    expectEntraRefusal(await redeem({ code, code_verifier: proofKey().verifier }), 501481, invalidGrant);
    expect((await redeem({ code, code_verifier: verifier })).status).toBe(200);
  });

  it('is in the log by a name, and not itself', async () => {
    const code = await codeOf();
    await redeem({ code });
    const log = await client.control<{ codeName?: string; route: string; status: number }[]>('/log?limit=2');
    expect(JSON.stringify(log)).not.toContain(code.slice(2, 30));
    const [given, redeemed] = Object.values(log).flat();
    expect(given).toMatchObject({
      route: '/{tenant}/oauth2/v2.0/authorize',
      status: 302,
      codeName: expect.any(String),
    });
    expect(redeemed).toMatchObject({ route: '/{tenant}/oauth2/v2.0/token', status: 200, codeName: given?.codeName });
  });
});
