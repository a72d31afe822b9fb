import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AzureRefusal } from '../../infra/hooks/azure.ts';
import { checkVendorApp, readVendorAppChoice } from '../../infra/hooks/check-vendor-app.ts';

const CLIENT_ID = '44444444-4444-4444-8444-444444444444';
const TENANT = '55555555-5555-4555-8555-555555555555';
const PRINCIPAL = 'abcdef66-6666-4666-8666-666666666666';
const VAULT = '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v';
const now = new Date('2026-12-01T00:00:00Z');

const choice = {
  clientId: CLIENT_ID,
  cloud: 'global',
  credential: 'managedIdentity' as 'managedIdentity' | 'clientSecret' | 'certificate',
  publicUrl: 'https://muster.example',
  tenantId: TENANT,
  principalId: PRINCIPAL,
  vaultId: VAULT,
};

const complete = {
  signInAudience: 'AzureADMultipleOrgs',
  web: { redirectUris: ['https://muster.example/v1/consent/callback', 'https://muster.example/v1/consent/sign-in'] },
  groupMembershipClaims: 'DirectoryRole' as string | null,
  optionalClaims: null as object | null,
  requiredResourceAccess: [
    {
      resourceAccess: [
        { id: 'e2a3a72e-5f79-4c64-b1b1-878b674786c9', type: 'Role' },
        { id: 'b633e1c5-b582-4048-a93e-9f11b44c7e96', type: 'Role' },
      ],
    },
  ],
  passwordCredentials: [{ endDateTime: '2027-01-01T00:00:00Z' }],
  keyCredentials: [{ endDateTime: '2027-01-01T00:00:00Z' }],
};
const trusted = {
  issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  subject: PRINCIPAL,
  audiences: ['api://AzureADTokenExchange'],
};

/** What is said about an app whose registration and surroundings differ in this. */
async function said(
  differences: {
    app?: Partial<typeof complete>;
    federated?: Partial<typeof trusted>;
    choice?: Partial<typeof choice>;
    graph?: Error;
    vault?: Error;
  } = {},
): Promise<string[]> {
  const lines: string[] = [];
  await checkVendorApp(
    {
      now,
      say: (line) => lines.push(line),
      async readGraph(path) {
        if (differences.graph) throw differences.graph;
        expect(path).toContain(`/applications(appId='${CLIENT_ID}')`);
        if (path.endsWith('/federatedIdentityCredentials'))
          return { value: [{ ...trusted, ...differences.federated }] };
        return { ...complete, ...differences.app };
      },
      async callAzure(method, path) {
        expect(`${method} ${path}`).toMatch(`GET ${VAULT}/secrets/vendor-app-`);
        if (differences.vault) throw differences.vault;
        return {};
      },
    },
    { ...choice, ...differences.choice },
  );
  return lines;
}

const COMPLETE = ["The registration of the vendor's app is complete."];

describe('a complete registration is called complete', () => {
  test.each(['managedIdentity', 'clientSecret', 'certificate'] as const)('%s', async (credential) => {
    expect(await said({ choice: { credential } })).toEqual(COMPLETE);
  });

  test.each([
    [{ groupMembershipClaims: 'All' }],
    [{ groupMembershipClaims: 'ApplicationGroup, DirectoryRole' }],
    [{ groupMembershipClaims: null, optionalClaims: { idToken: [{ name: 'wids' }] } }],
    [{ signInAudience: 'AzureADandPersonalMicrosoftAccount' }],
  ])('with %o', async (app) => {
    expect(await said({ app })).toEqual(COMPLETE);
  });
});

test.each<[string, Parameters<typeof said>[0], RegExp]>([
  ['the app is single-tenant', { app: { signInAudience: 'AzureADMyOrg' } }, /--sign-in-audience AzureADMultipleOrgs/],
  [
    'a redirect URI is missing',
    { app: { web: { redirectUris: complete.web.redirectUris.slice(1) } } },
    /consent\/callback is missing/,
  ],
  [
    'the other redirect URI is missing',
    { app: { web: { redirectUris: complete.web.redirectUris.slice(0, 1) } } },
    /consent\/sign-in is missing/,
  ],
  [
    'a permission is missing',
    {
      app: {
        requiredResourceAccess: [
          { resourceAccess: [complete.requiredResourceAccess[0]?.resourceAccess[0] ?? { id: '', type: '' }] },
        ],
      },
    },
    /Mail\.Send .*is missing/,
  ],
  [
    'ID tokens tell no roles',
    { app: { groupMembershipClaims: 'SecurityGroup' } },
    /groupMembershipClaims=DirectoryRole/,
  ],
  [
    'another identity is trusted',
    { federated: { subject: TENANT } },
    new RegExp(`does not trust the identity ${PRINCIPAL}`),
  ],
  ['the subject differs in case', { federated: { subject: PRINCIPAL.toUpperCase() } }, /does not trust the identity/],
  [
    'the issuer is of version 1',
    { federated: { issuer: `https://sts.windows.net/${TENANT}/` } },
    /does not trust the identity/,
  ],
  [
    'the audience is of another cloud',
    { federated: { audiences: ['api://AzureADTokenExchangeChina'] } },
    /does not trust the identity/,
  ],
  [
    'every client secret has expired',
    { choice: { credential: 'clientSecret' }, app: { passwordCredentials: [{ endDateTime: '2026-11-30T00:00:00Z' }] } },
    /has no client secret that is still valid/,
  ],
  [
    'there is no certificate',
    { choice: { credential: 'certificate' }, app: { keyCredentials: [] } },
    /has no certificate that is still valid/,
  ],
  [
    'the vault has no client secret',
    { choice: { credential: 'clientSecret' }, vault: new AzureRefusal('GET', 404, '') },
    /has no secret vendor-app-client-secret/,
  ],
  [
    'the vault has no certificate',
    { choice: { credential: 'certificate' }, vault: new AzureRefusal('GET', 404, '') },
    /has no secret vendor-app-certificate/,
  ],
  [
    'the tenant does not have the app',
    { graph: new AzureRefusal('GET', 404, '') },
    new RegExp(`no registration with the client id ${CLIENT_ID}`),
  ],
])('says, once, that %s', async (_, differences, message) => {
  const [fault = '', ...more] = await said(differences);
  expect(fault).toMatch(message);
  expect(more).toEqual(['docs/vendor-app.md explains each step.']);
});

test('says every fault at once', async () => {
  const app = {
    signInAudience: 'AzureADMyOrg',
    web: { redirectUris: [] },
    groupMembershipClaims: null,
    requiredResourceAccess: [],
  };
  expect(await said({ app, federated: { subject: '' } })).toHaveLength(8);
});

test('does not fail if the registration cannot be read', async () => {
  expect(await said({ graph: new AzureRefusal('GET /applications', 403, 'no') })).toEqual([
    expect.stringContaining('could not be checked: GET /applications: 403 no'),
  ]);
});

test('an app in another cloud cannot trust the identity, and is not looked for in this one', async () => {
  const inChina = (credential: 'managedIdentity' | 'certificate') =>
    said({ choice: { cloud: 'china', credential }, graph: new Error('asked') });
  expect(await inChina('managedIdentity')).toEqual([
    expect.stringContaining('cannot trust an identity of another cloud'),
  ]);
  expect(await inChina('certificate')).toEqual([expect.not.stringContaining('cannot trust')]);
});

describe('the choice', () => {
  afterEach(() => void vi.unstubAllEnvs());
  const stub = (values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
  };

  test('is none without a client id', () => {
    stub({ MUSTER_VENDOR_APP_CLIENT_ID: '' });
    expect(readVendorAppChoice()).toBeUndefined();
  });

  test('is read from the names that the deployment gives to azd', () => {
    const outputs = {
      AZURE_TENANT_ID: TENANT,
      APP_PRINCIPAL_ID: PRINCIPAL,
      OPERATOR_VAULT_ID: VAULT,
      API_URL: 'https://func.example',
    };
    const bicep = readFileSync('infra/main.bicep', 'utf8');
    for (const name of Object.keys(outputs)) expect(bicep).toContain(`output ${name} string`);
    stub({
      ...outputs,
      MUSTER_VENDOR_APP_CLIENT_ID: CLIENT_ID,
      MUSTER_VENDOR_APP_CREDENTIAL: '',
      MUSTER_PUBLIC_URL: '',
    });
    expect(readVendorAppChoice()).toEqual({ ...choice, publicUrl: 'https://func.example' });
    stub({ MUSTER_PUBLIC_URL: 'https://muster.example/', MUSTER_VENDOR_APP_CREDENTIAL: 'certificate' });
    expect(readVendorAppChoice()).toEqual({ ...choice, credential: 'certificate' });
  });
});
