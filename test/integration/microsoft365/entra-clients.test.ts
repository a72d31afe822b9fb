import { createHash, X509Certificate } from 'node:crypto';
import { AuthenticationRequiredError, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { createLocalJWKSet, decodeJwt, importPKCS8, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectEntraHeaders, expectEntraRefusal } from '../../support/entra-refusal.ts';
import {
  type AppInput,
  openSimulator,
  type SimulatorClient,
  type TokenBody,
  type Told,
  wingtip,
  wingtipApp,
  wingtipTenant,
} from '../../support/simulator-client.ts';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let client: SimulatorClient;
let signer: { cert: string; private: string };
beforeAll(async () => {
  [client, signer] = await Promise.all([
    openSimulator({ tenants: [wingtipTenant()] }),
    generate([{ name: 'commonName', value: 'app' }], { keySize: 2048, algorithm: 'sha256' }),
  ]);
});
afterAll(() => client.close());
beforeEach(() => client.put(wingtipTenant()));

const given = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));

describe('a token', () => {
  const claimsOf = async (told: Promise<Told<TokenBody>>) => decodeJwt((await told).body.access_token ?? '');

  it('comes as Entra’s answers do, and says what Entra’s tokens for Graph say', async () => {
    const told = await client.askToken();
    expect(told.status).toBe(200);
    expect(told.body).toEqual({
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: expect.any(String),
    });
    expectEntraHeaders(told.headers);
    const claims = decodeJwt(told.body.access_token ?? '');
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

  it('carries the roles of its own resource only', async () => {
    given({ grants: ['Mail.Send', 'IMAP.AccessAsApp', 'SMTP.SendAsApp'] });
    const exchange = await claimsOf(client.askToken({ scope: 'https://outlook.office365.com/.default' }));
    expect([exchange.aud, exchange.roles]).toEqual([
      'https://outlook.office365.com',
      ['IMAP.AccessAsApp', 'SMTP.SendAsApp'],
    ]);
    expect((await claimsOf(client.askToken())).roles).toEqual(['Mail.Send']);
  });

  it.each(['none', 'required', 'declined'] as const)('has no roles where consent is %s', async (consent) => {
    given({ consent });
    expect(await claimsOf(client.askToken())).not.toHaveProperty('roles');
  });

  it('has no object id where the tenant has no usable principal', async () => {
    given({ identityMissing: true });
    expect(await claimsOf(client.askToken())).not.toHaveProperty('oid');
  });

  it('lives as long as the scenario says', async () => {
    given({}, { tokenSeconds: 5 });
    const told = await client.askToken();
    expect(told.body.expires_in).toBe(5);
    const { exp, iat } = decodeJwt(told.body.access_token ?? '');
    expect((exp ?? 0) - (iat ?? 0)).toBe(5);
  });

  it('can be verified with the published keys', async () => {
    const keys = (await (
      await fetch(`${client.simulator.url}/${wingtip.id}/discovery/v2.0/keys`)
    ).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(await client.token(), createLocalJWKSet(keys));
    expect(payload.tid).toBe(wingtip.id);
  });
});

describe('Microsoft’s own library', () => {
  const options = () => ({ authorityHost: client.simulator.loginUrl, disableInstanceDiscovery: true });
  const scope = 'https://graph.microsoft.com/.default';

  it('gets a token by secret', async () => {
    const credential = new ClientSecretCredential(wingtip.id, wingtip.clientId, wingtip.clientSecret, options());
    const { token, expiresOnTimestamp } = await credential.getToken(scope);
    expect(decodeJwt(token).appid).toBe(wingtip.clientId);
    expect(expiresOnTimestamp - Date.now()).toBeGreaterThan(3_500_000);
    const told = await client.graph('GET', '/users?$top=1', { token });
    expect(told.status).toBe(200);
  });

  it('understands a refusal', async () => {
    const credential = new ClientSecretCredential(wingtip.id, wingtip.clientId, 'guess', options());
    const refused = await credential.getToken(scope).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AuthenticationRequiredError);
    expect(String(refused)).toContain('AADSTS7000215: Invalid client secret provided.');
  });

  describe('by certificate', () => {
    const thumbprintOf = (cert: string) => new X509Certificate(cert).fingerprint.replaceAll(':', '');
    const register = (certificates: { thumbprint: string; publicKeyPem: string }[]) => given({ certificates });
    const own = () => ({ thumbprint: thumbprintOf(signer.cert), publicKeyPem: signer.cert });
    const credential = () =>
      new ClientCertificateCredential(
        wingtip.id,
        wingtip.clientId,
        { certificate: `${signer.private}\n${signer.cert}` },
        options(),
      );

    it('gets a token that says so', async () => {
      register([own()]);
      expect(decodeJwt((await credential().getToken(scope)).token).appidacr).toBe('2');
    });

    it('is refused while the certificate is not registered', async () => {
      register([]);
      const refused = await credential()
        .getToken(scope)
        .catch((error: unknown) => error);
      expect(String(refused)).toContain('AADSTS700027: ');
    });

    it.each([
      ['is out of its time', 700024, { exp: 1 }],
      ['is another app’s', 700021, { iss: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83' }],
    ])('is refused when the assertion %s: AADSTS%i', async (_, code, claims) => {
      register([own()]);
      const x5t = createHash('sha1').update(new X509Certificate(signer.cert).raw).digest('base64url');
      const usual = {
        aud: `${client.simulator.loginUrl}/${wingtip.id}/oauth2/v2.0/token`,
        iss: wingtip.clientId,
        sub: wingtip.clientId,
        exp: Math.floor(Date.now() / 1000) + 300,
      };
      const client_assertion = await new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'RS256', x5t })
        .sign(await importPKCS8(signer.private, 'RS256'));
      expectEntraRefusal(await client.askToken({ client_secret: undefined, client_assertion }), code, {
        error: 'invalid_client',
        status: 401,
      });
    });
  });
});

describe('a tenant’s OpenID configuration', () => {
  const read = async (name: string) => {
    const response = await fetch(`${client.simulator.url}/${name}/v2.0/.well-known/openid-configuration`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('tells the id behind a domain', async () => {
    const { status, body } = await read(wingtip.domain);
    expect([status, body.issuer]).toEqual([200, `${client.simulator.url}/${wingtip.id}/v2.0`]);
  });

  it('is not there for a tenant that is not', async () => {
    expect(await read('nobody.example')).toMatchObject({
      status: 400,
      body: { error: 'invalid_tenant', error_codes: [90002] },
    });
  });
});

describe('an admin’s consent', () => {
  const redirectUri = 'https://muster.example/connections/consent';
  const decide = async (form: 'v1' | 'v2', decision: 'accept' | 'cancel', more: Record<string, string> = {}) => {
    const fields = {
      client_id: wingtip.clientId,
      redirect_uri: redirectUri,
      state: 'opaque',
      scope: 'https://graph.microsoft.com/.default',
      ...more,
    };
    const path = form === 'v2' ? `${wingtip.id}/v2.0/adminconsent` : `${wingtip.id}/adminconsent`;
    const shown = await fetch(`${client.simulator.url}/${path}?${new URLSearchParams(fields)}`);
    const told = await fetch(`${client.simulator.url}/${path}`, {
      method: 'POST',
      body: new URLSearchParams({ ...fields, decision }),
      redirect: 'manual',
    });
    const location = told.headers.get('location');
    return {
      page: await shown.text(),
      statuses: [shown.status, told.status],
      query: location === null ? undefined : Object.fromEntries(new URL(location).searchParams),
    };
  };
  const rolesNow = async () => decodeJwt(await client.token()).roles;

  it.each([
    [
      'v2' as const,
      { admin_consent: 'True', tenant: wingtip.id, scope: 'https://graph.microsoft.com/.default', state: 'opaque' },
    ],
    ['v1' as const, { admin_consent: 'True', tenant: wingtip.id, state: 'opaque' }],
  ])('%s: yes makes the grants, and the next token shows them', async (form, query) => {
    given({ consent: 'required', displayName: 'Outreach' });
    expect(await rolesNow()).toBeUndefined();
    const told = await decide(form, 'accept');
    expect(told.page).toMatch(/Outreach.*Mail\.ReadWrite/s);
    expect([told.statuses, told.query]).toEqual([[200, 302], query]);
    expect(await rolesNow()).toContain('Mail.Send');
  });

  it.each([
    ['v2' as const, { error: 'access_denied', error_subcode: 'cancel', state: 'opaque' }],
    [
      'v1' as const,
      { error: 'permission_denied', error_description: 'The admin canceled the request', state: 'opaque' },
    ],
  ])('%s: no changes nothing', async (form, query) => {
    given({ consent: 'required' });
    expect((await decide(form, 'cancel')).query).toEqual(query);
    expect(await rolesNow()).toBeUndefined();
  });

  it('comes with admin_consent=True even when it was declined', async () => {
    given({ consent: 'declined' });
    expect((await decide('v2', 'accept')).query).toMatchObject({
      admin_consent: 'True',
      error: 'consent_required',
      error_description: expect.stringMatching(/^AADSTS65004: /),
    });
  });

  it('redirects nowhere but where the registration says', async () => {
    given({ redirectUris: [redirectUri] });
    const told = await decide('v2', 'accept', { redirect_uri: 'https://evil.example/' });
    expect([told.statuses, told.query]).toEqual([[400, 400], undefined]);
    expect(told.page).toContain('AADSTS50011');
  });
});
