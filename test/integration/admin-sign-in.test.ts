import { X509Certificate } from 'node:crypto';
import { ClientSecretCredential } from '@azure/identity';
import { generate } from 'selfsigned';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createAdminSignIn } from '../../shared/adapters/entra/admin-sign-in.ts';
import { createVendorAppAccess, type VendorCredential } from '../../shared/adapters/entra/vendor-app-access.ts';
import { isConsentingAdmin } from '../../shared/connections/consent/admin-sign-in.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { openSimulator } from '../support/simulator-client.ts';
import { home, redirectUri, signIn } from '../support/vendor-app.ts';
import { type AppInput, at, wingtip, wingtipApp, wingtipTenant } from '../support/wingtip.ts';

const client = await openSimulator({ tenants: [wingtipTenant()] }, { home });
afterAll(() => client.close());
beforeEach(() => client.put(wingtipTenant()));

const putApp = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));
const withSecret: VendorCredential = { kind: 'clientSecret', clientSecret: new Secret(wingtip.clientSecret) };

function signInWith(credential: VendorCredential, loginUrl = client.simulator.loginUrl) {
  const app = createVendorAppAccess({ clientId: wingtip.clientId, cloud: 'simulator' }, credential);
  return createAdminSignIn({ app, loginUrl, clock: systemClock, timeoutMs: 2_000 });
}

async function redeemed(credential: VendorCredential, person: string, change: object = {}) {
  const adminSignIn = signInWith(credential);
  const { url, ...kept } = await adminSignIn.begin({ tenantId: wingtip.id, redirectUri });
  const { query } = await signIn(`${url}&state=opaque`, { person });
  return await adminSignIn.redeem({ tenantId: wingtip.id, redirectUri, code: query.code ?? '', ...kept, ...change });
}

const admin = {
  kind: 'signedIn',
  person: {
    tenantId: wingtip.id,
    objectId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    directoryRoles: expect.any(Array),
  },
};

describe('the sign-in says who the person is', () => {
  it('with a client secret', async () => {
    expect(await redeemed(withSecret, at('admin'))).toEqual(admin);
  });

  it('with a certificate', async () => {
    const options = { keySize: 2048, algorithm: 'sha256' } as const;
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'app' }], options);
    const thumbprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '');
    putApp({ secrets: [], certificates: [{ thumbprint, publicKeyPem: cert }] });
    expect(await redeemed({ kind: 'certificate', pem: new Secret(`${key}\n${cert}`) }, at('admin'))).toEqual(admin);
  });

  it('with the identity of the deployment', async () => {
    putApp({ secrets: [], trustsDeployment: true });
    const identity = new ClientSecretCredential(home.tenantId, home.clientId, home.clientSecret, {
      authorityHost: client.simulator.loginUrl,
      disableInstanceDiscovery: true,
    });
    const resource = 'api://AzureADTokenExchange';
    expect(await redeemed({ kind: 'federated', identity, resource }, at('admin'))).toEqual(admin);
  });

  it.each([
    ['Global Administrator', true],
    ['Privileged Role Administrator', true],
    ['Exchange Administrator', false],
  ] as const)('and whether a %s may grant consent for the tenant: %s', async (role, isAdmin) => {
    putApp({}, { people: [{ upn: at('ada'), roles: [role] }] });
    const answer = await redeemed(withSecret, at('ada'));
    expect(answer.kind === 'signedIn' && isConsentingAdmin(answer.person)).toBe(isAdmin);
  });

  it('but not the roles, if the registration of the app does not ask for them', async () => {
    putApp({ emitsRoles: false });
    const answer = await redeemed(withSecret, at('admin'));
    expect(answer).toEqual({ kind: 'signedIn', person: { tenantId: wingtip.id, objectId: expect.any(String) } });
  });
});

describe('the sign-in is refused', () => {
  it('with a code that was redeemed before', async () => {
    const adminSignIn = signInWith(withSecret);
    const { url, ...kept } = await adminSignIn.begin({ tenantId: wingtip.id, redirectUri });
    const { query } = await signIn(`${url}&state=opaque`, { person: at('admin') });
    const redeem = () => adminSignIn.redeem({ tenantId: wingtip.id, redirectUri, code: query.code ?? '', ...kept });
    expect(await redeem()).toMatchObject({ kind: 'signedIn' });
    expect(await redeem()).toMatchObject({ kind: 'refused', microsoftCode: 'AADSTS54005' });
  });

  it('with the nonce of another request', async () => {
    expect(await redeemed(withSecret, at('admin'), { nonce: 'other' })).toMatchObject({ kind: 'refused' });
  });

  it('with the verifier of another request', async () => {
    const other = { codeVerifier: 'x'.repeat(43) };
    expect(await redeemed(withSecret, at('admin'), other)).toMatchObject({
      kind: 'refused',
      microsoftCode: expect.stringMatching(/^AADSTS/),
    });
  });

  it('if the credential of the app is wrong', async () => {
    const wrong = { kind: 'clientSecret', clientSecret: new Secret('wrong-8Q~value') } as const;
    expect(await redeemed(wrong, at('admin'))).toMatchObject({ kind: 'refused', microsoftCode: 'AADSTS7000215' });
  });
});

it('a Microsoft that does not answer is told as such, so that the admin can try again', async () => {
  const adminSignIn = signInWith(withSecret, 'https://127.0.0.1:1');
  const { url: _url, ...kept } = await adminSignIn.begin({ tenantId: wingtip.id, redirectUri });
  const answer = adminSignIn.redeem({ tenantId: wingtip.id, redirectUri, code: 'code', ...kept });
  await expect(answer).rejects.toMatchObject({ code: 'microsoft_unavailable' });
});
