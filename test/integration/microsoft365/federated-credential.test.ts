import { ClientAssertionCredential, ClientSecretCredential } from '@azure/identity';
import { decodeJwt, type JWTPayload } from 'jose';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { TokenIssuer } from '../../../local/microsoft365/token-issuer.ts';
import { expectEntraRefusal } from '../../support/entra-refusal.ts';
import { openSimulator } from '../../support/simulator-client.ts';
import { home } from '../../support/vendor-app.ts';
import { type AppInput, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const client = await openSimulator({ tenants: [wingtipTenant()] }, { home });
afterAll(() => client.close());
const putApp = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));
beforeEach(() => putApp({ secrets: [], trustsDeployment: true }));

const options = () => ({ authorityHost: client.simulator.loginUrl, disableInstanceDiscovery: true });
const graphScope = 'https://graph.microsoft.com/.default';

async function identityToken(): Promise<string> {
  const credential = new ClientSecretCredential(home.tenantId, home.clientId, home.clientSecret, options());
  return (await credential.getToken('api://AzureADTokenExchange/.default')).token;
}

/** Asks for a token of the app, with an assertion whose claims differ from those of the identity's token. */
async function askWith(more: JWTPayload, signer = client.simulator.world.tokens) {
  const claims = { ...decodeJwt(await identityToken()), ...more };
  return await client.askToken({ client_secret: undefined, client_assertion: await signer.sign(claims) });
}

const refused = { error: 'invalid_client', status: 401 };

it('the home tenant issues version 2.0 tokens of the deployment’s identity for federated credentials', async () => {
  const claims = decodeJwt(await identityToken());
  expect(claims).toMatchObject({
    aud: 'fb60f99c-7a34-4190-8149-302f77469936',
    iss: `${client.simulator.url}/${home.tenantId}/v2.0`,
    tid: home.tenantId,
    azp: home.clientId,
    idtyp: 'app',
    ver: '2.0',
  });
  expect(claims.sub).toBe(claims.oid);
});

it('Microsoft’s client library gets a token of the app with the token of the identity', async () => {
  const credential = new ClientAssertionCredential(wingtip.id, wingtip.clientId, identityToken, options());
  const { token } = await credential.getToken(graphScope);
  expect(decodeJwt(token)).toMatchObject({ appid: wingtip.clientId, tid: wingtip.id, appidacr: '2' });
  expect((await client.graph('GET', '/users?$top=1', { token })).status).toBe(200);
});

it('Graph refuses the app’s tokens once the app no longer trusts the deployment', async () => {
  const { body } = await askWith({});
  putApp({ secrets: [] });
  expect((await client.graph('GET', '/users?$top=1', { token: body.access_token })).status).toBe(401);
});

it('an app that does not trust the deployment refuses its identity: AADSTS700213', async () => {
  putApp({ secrets: [] });
  expectEntraRefusal(await askWith({}), 700213, {
    ...refused,
    start: `No matching federated identity record found for presented assertion subject '${decodeJwt(await identityToken()).sub}'. `,
  });
});

it.each<[string, number, JWTPayload, object?]>([
  ['issuer', 700211, { iss: 'https://sts.windows.net/8d2b7c14-5e90-4a3f-b6d1-70c9e4f2a853/' }],
  ['audience', 700212, { aud: 'https://vault.azure.net' }],
  ['subject', 700213, { sub: wingtip.id }],
  ['time', 700024, { exp: 1 }],
  ['kind of identity', 700229, { idtyp: 'user' }, { status: 400 }],
])('a wrong %s is refused: AADSTS%i', async (_, code, claims, row = {}) => {
  expectEntraRefusal(await askWith(claims), code, { ...refused, ...row });
});

it('a token that Entra has not signed is refused: AADSTS50013', async () => {
  expectEntraRefusal(await askWith({}, new TokenIssuer()), 50013, refused);
});

it('the time of an assertion is checked by Entra’s clock', async () => {
  putApp({ secrets: [], trustsDeployment: true }, { clockOffsetSeconds: 2 * 3600 });
  expectEntraRefusal(await askWith({}), 700024, refused);
});

it('the home tenant signs nobody in, and has no other tokens', async () => {
  const ask = (fields: Record<string, string>) =>
    client.askToken(
      { client_id: home.clientId, client_secret: home.clientSecret, ...fields },
      { tenant: home.tenantId },
    );
  expect((await ask({ scope: graphScope })).body.error_codes).toEqual([500011]);
  expect(
    (await ask({ grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://x.example' })).body.error_codes,
  ).toEqual([70003]);
});
