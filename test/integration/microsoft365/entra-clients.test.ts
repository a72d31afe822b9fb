import { createHash, X509Certificate } from 'node:crypto';
import { AuthenticationRequiredError, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { createLocalJWKSet, decodeJwt, importPKCS8, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectEntraHeaders, expectEntraRefusal } from '../../support/entra-refusal.ts';
import { jsonOf } from '../../support/json-of.ts';
import { type HttpResult, startSimulatedTenant, type TokenBody } from '../../support/simulator-client.ts';
import { type AppInput, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const [client, appCertificate] = await Promise.all([
  startSimulatedTenant(),
  generate([{ name: 'commonName', value: 'app' }], { keySize: 2048, algorithm: 'sha256' }),
]);
beforeEach(() => client.put(wingtipTenant()));

const putApp = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));

describe('a token', () => {
  const claimsOf = async (result: Promise<HttpResult<TokenBody>>) => decodeJwt((await result).body.access_token ?? '');

  it('has the response headers and the claims of Entra’s tokens for Graph', async () => {
    const result = await client.askToken();
    expect(result.status).toBe(200);
    expect(result.body).toEqual({
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: expect.any(String),
    });
    expectEntraHeaders(result.headers);
    const claims = decodeJwt(result.body.access_token ?? '');
    expect(claims).toMatchObject({
      aud: 'https://graph.microsoft.com',
      iss: `https://sts.windows.net/${wingtip.id}/`,
      tid: wingtip.id,
      appid: wingtip.clientId,
      appidacr: '1',
      idtyp: 'app',
      oid: expect.stringMatching(guid),
      roles: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'],
      ver: '1.0',
      uti: expect.any(String),
    });
    expect(claims.sub).toBe(claims.oid);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3599);
  });

  it('carries only the roles of its resource', async () => {
    putApp({ grants: ['Mail.Send', 'IMAP.AccessAsApp', 'SMTP.SendAsApp'] });
    const exchange = await claimsOf(client.askToken({ scope: 'https://outlook.office365.com/.default' }));
    expect([exchange.aud, exchange.roles]).toEqual([
      'https://outlook.office365.com',
      ['IMAP.AccessAsApp', 'SMTP.SendAsApp'],
    ]);
    expect((await claimsOf(client.askToken())).roles).toEqual(['Mail.Send']);
  });

  it.each(['none', 'required', 'declined'] as const)('has no roles if consent is %s', async (consent) => {
    putApp({ consent });
    expect(await claimsOf(client.askToken())).not.toHaveProperty('roles');
  });

  it('has no object id if the tenant has no usable service principal', async () => {
    putApp({ identityMissing: true });
    expect(await claimsOf(client.askToken())).not.toHaveProperty('oid');
  });

  it('expires after the time in the scenario', async () => {
    putApp({}, { tokenSeconds: 5 });
    const result = await client.askToken();
    expect(result.body.expires_in).toBe(5);
    const { exp, iat } = decodeJwt(result.body.access_token ?? '');
    expect((exp ?? 0) - (iat ?? 0)).toBe(5);
  });

  it('can be verified with the published keys', async () => {
    const keys = await jsonOf<JSONWebKeySet>(await fetch(`${client.simulator.url}/${wingtip.id}/discovery/v2.0/keys`));
    const { payload } = await jwtVerify(await client.token(), createLocalJWKSet(keys));
    expect(payload.tid).toBe(wingtip.id);
  });
});

describe('Microsoft’s client library', () => {
  const options = () => ({ authorityHost: client.simulator.loginUrl, disableInstanceDiscovery: true });
  const scope = 'https://graph.microsoft.com/.default';

  it('gets a token with a secret', async () => {
    const credential = new ClientSecretCredential(wingtip.id, wingtip.clientId, wingtip.clientSecret, options());
    const { token, expiresOnTimestamp } = await credential.getToken(scope);
    expect(decodeJwt(token).appid).toBe(wingtip.clientId);
    expect(expiresOnTimestamp - Date.now()).toBeGreaterThan(3_500_000);
    const result = await client.graph('GET', '/users?$top=1', { token });
    expect(result.status).toBe(200);
  });

  it('reports a refusal with its AADSTS number', async () => {
    const credential = new ClientSecretCredential(wingtip.id, wingtip.clientId, 'guess', options());
    const refused = await credential.getToken(scope).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AuthenticationRequiredError);
    expect(String(refused)).toContain('AADSTS7000215: Invalid client secret provided.');
  });

  describe('with a certificate', () => {
    const thumbprintOf = (cert: string) => new X509Certificate(cert).fingerprint.replaceAll(':', '');
    const registerCertificates = (certificates: { thumbprint: string; publicKeyPem: string }[]) =>
      putApp({ certificates });
    const appKey = () => ({ thumbprint: thumbprintOf(appCertificate.cert), publicKeyPem: appCertificate.cert });
    const credential = () =>
      new ClientCertificateCredential(
        wingtip.id,
        wingtip.clientId,
        { certificate: `${appCertificate.private}\n${appCertificate.cert}` },
        options(),
      );

    it('gets a token whose appidacr is 2', async () => {
      registerCertificates([appKey()]);
      expect(decodeJwt((await credential().getToken(scope)).token).appidacr).toBe('2');
    });

    it('is refused if the certificate is not registered', async () => {
      registerCertificates([]);
      const refused = await credential()
        .getToken(scope)
        .catch((error: unknown) => error);
      expect(String(refused)).toContain('AADSTS700027: ');
      expect(String(refused)).toContain('[Reason - The key was not found.');
    });

    it('is refused if the certificate has expired', async () => {
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'expired' }], {
        keySize: 2048,
        algorithm: 'sha256',
        notBeforeDate: new Date('2020-01-01T00:00:00Z'),
        notAfterDate: new Date('2021-01-01T00:00:00Z'),
      });
      registerCertificates([{ thumbprint: thumbprintOf(cert), publicKeyPem: cert }]);
      const expired = new ClientCertificateCredential(
        wingtip.id,
        wingtip.clientId,
        { certificate: `${key}\n${cert}` },
        options(),
      );
      expect(String(await expired.getToken(scope).catch((error: unknown) => error))).toContain(
        'AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key used is expired.',
      );
    });

    it.each([
      ['has expired', 700024, { exp: 1 }],
      ['belongs to another app', 700021, { iss: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83' }],
      ['is for another tenant', 700023, { aud: 'https://login.microsoftonline.com/x/oauth2/v2.0/token' }],
    ])('is refused if the assertion %s: AADSTS%i', async (_, code, claims) => {
      registerCertificates([appKey()]);
      const x5t = createHash('sha1').update(new X509Certificate(appCertificate.cert).raw).digest('base64url');
      const validClaims = {
        aud: `${client.simulator.loginUrl}/${wingtip.id}/oauth2/v2.0/token`,
        iss: wingtip.clientId,
        sub: wingtip.clientId,
        exp: Math.floor(Date.now() / 1000) + 300,
      };
      const client_assertion = await new SignJWT({ ...validClaims, ...claims })
        .setProtectedHeader({ alg: 'RS256', x5t })
        .sign(await importPKCS8(appCertificate.private, 'RS256'));
      expectEntraRefusal(await client.askToken({ client_secret: undefined, client_assertion }), code, {
        error: 'invalid_client',
        status: 401,
      });
    });
  });
});

describe('a tenant’s OpenID configuration', () => {
  const readConfiguration = async (name: string) => {
    const response = await fetch(`${client.simulator.url}/${name}/v2.0/.well-known/openid-configuration`);
    return { status: response.status, body: await jsonOf<Record<string, unknown>>(response) };
  };

  it('contains the tenant id for a domain', async () => {
    const { status, body } = await readConfiguration(wingtip.domain);
    expect([status, body.issuer]).toEqual([200, `${client.simulator.url}/${wingtip.id}/v2.0`]);
  });

  it('400: an unknown tenant', async () => {
    expect(await readConfiguration('nobody.example')).toMatchObject({
      status: 400,
      body: { error: 'invalid_tenant', error_codes: [90002] },
    });
  });
});

describe('admin consent', () => {
  const redirectUri = 'https://muster.example/connections/consent';
  const submitConsent = async (form: 'v1' | 'v2', decision: 'accept' | 'cancel', more: Record<string, string> = {}) => {
    const fields = {
      client_id: wingtip.clientId,
      redirect_uri: redirectUri,
      state: 'opaque',
      scope: 'https://graph.microsoft.com/.default',
      ...more,
    };
    const path = form === 'v2' ? `${wingtip.id}/v2.0/adminconsent` : `${wingtip.id}/adminconsent`;
    const page = await fetch(`${client.simulator.url}/${path}?${new URLSearchParams(fields)}`);
    const result = await fetch(`${client.simulator.url}/${path}`, {
      method: 'POST',
      body: new URLSearchParams({ ...fields, decision }),
      redirect: 'manual',
    });
    const location = result.headers.get('location');
    return {
      page: await page.text(),
      statuses: [page.status, result.status],
      query: location === null ? undefined : Object.fromEntries(new URL(location).searchParams),
    };
  };
  const currentRoles = async () => decodeJwt(await client.token()).roles;

  it.each([
    [
      'v2' as const,
      { admin_consent: 'True', tenant: wingtip.id, scope: 'https://graph.microsoft.com/.default', state: 'opaque' },
    ],
    ['v1' as const, { admin_consent: 'True', tenant: wingtip.id, state: 'opaque' }],
  ])('%s: accepting grants the permissions, and the next token has them', async (form, query) => {
    putApp({ consent: 'required', displayName: 'Outreach' });
    expect(await currentRoles()).toBeUndefined();
    const result = await submitConsent(form, 'accept');
    expect(result.page).toMatch(/Outreach.*Mail\.ReadWrite/s);
    expect([result.statuses, result.query]).toEqual([[200, 302], query]);
    expect(await currentRoles()).toContain('Mail.Send');
  });

  it.each([
    ['v2' as const, { error: 'access_denied', error_subcode: 'cancel', state: 'opaque' }],
    [
      'v1' as const,
      { error: 'permission_denied', error_description: 'The admin canceled the request', state: 'opaque' },
    ],
  ])('%s: canceling changes nothing', async (form, query) => {
    putApp({ consent: 'required' });
    expect((await submitConsent(form, 'cancel')).query).toEqual(query);
    expect(await currentRoles()).toBeUndefined();
  });

  it.each([
    ['AADSTS90094', 'access_denied', /^AADSTS90094: .*only an admin can grant/],
    ['AADSTS50020', 'access_denied', /^AADSTS50020: User account/],
    ['AADSTS53003', 'access_denied', /^AADSTS53003: /],
    ['AADSTS90033', 'temporarily_unavailable', /^AADSTS90033: /],
  ])('returns with %s if the person who accepts is refused', async (code, error, description) => {
    putApp({ consent: 'required', consentError: code });
    const { query } = await submitConsent('v2', 'accept');
    expect(query).toMatchObject({ admin_consent: 'True', error, state: 'opaque' });
    expect(query?.error_description).toMatch(description);
    expect(await currentRoles()).toBeUndefined();
  });

  it('returns admin_consent=True even if it was declined', async () => {
    putApp({ consent: 'declined' });
    expect((await submitConsent('v2', 'accept')).query).toMatchObject({
      admin_consent: 'True',
      error: 'consent_required',
      error_description: expect.stringMatching(/^AADSTS65004: /),
    });
  });

  it('redirects only to a registered address', async () => {
    putApp({ redirectUris: [redirectUri] });
    const result = await submitConsent('v2', 'accept', { redirect_uri: 'https://evil.example/' });
    expect([result.statuses, result.query]).toEqual([[400, 400], undefined]);
    expect(result.page).toContain('AADSTS50011');
  });
});
