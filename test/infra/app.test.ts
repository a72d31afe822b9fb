import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WORKER } from '../../infra/hooks/check-deployment.ts';
import { queues } from '../../shared/kernel/storage-names.ts';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

const SITE = 'Microsoft.Web/sites';
const deployment = deployed();

function propertiesOfApp(params: Record<string, unknown> = {}) {
  const other = deployed(params);
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  return brief(other, oneOf(other, SITE)).body.properties as any;
}

test('the plan is Flex Consumption', () => {
  const { body } = brief(deployment, oneOf(deployment, 'Microsoft.Web/serverfarms'));
  expect(body).toEqual({
    name: 'plan-*',
    location: 'westeurope',
    tags: { 'azd-env-name': 'prod' },
    kind: 'functionapp',
    sku: { name: 'FC1', tier: 'FlexConsumption' },
    properties: { reserved: true, zoneRedundant: false },
  });
});

test('the app is exactly this', () => {
  const identity = 'Microsoft.ManagedIdentity/userAssignedIdentities/id-*';
  const { body } = brief(deployment, oneOf(deployment, SITE));
  expect(body).toEqual({
    name: 'func-*',
    location: 'westeurope',
    tags: { 'azd-env-name': 'prod', 'azd-service-name': 'api' },
    kind: 'functionapp,linux',
    identity: { type: 'UserAssigned', userAssignedIdentities: { [identity]: {} } },
    properties: {
      serverFarmId: 'Microsoft.Web/serverfarms/plan-*',
      httpsOnly: true,
      keyVaultReferenceIdentity: identity,
      virtualNetworkSubnetId: null,
      siteConfig: {
        minTlsVersion: '1.2',
        scmMinTlsVersion: '1.2',
        ftpsState: 'Disabled',
        http20Enabled: true,
        ipSecurityRestrictions: [],
        ipSecurityRestrictionsDefaultAction: 'Allow',
        scmIpSecurityRestrictionsUseMain: false,
        scmIpSecurityRestrictionsDefaultAction: 'Allow',
        cors: { allowedOrigins: [], supportCredentials: false },
      },
      functionAppConfig: {
        deployment: {
          storage: {
            type: 'blobContainer',
            value: 'https://sthost*.blob.core.windows.net/app-package',
            authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity },
          },
        },
        runtime: { name: 'node', version: '24' },
        scaleAndConcurrency: {
          instanceMemoryMB: 2048,
          maximumInstanceCount: 100,
          alwaysReady: [
            { name: 'http', instanceCount: 1 },
            { name: 'function:plan-import', instanceCount: 1 },
            { name: 'function:dispatch-checks', instanceCount: 1 },
            { name: 'function:check-mailbox', instanceCount: 1 },
          ],
          triggers: { http: { perInstanceConcurrency: 64 } },
        },
      },
    },
  });
});

test('the app runs on the Node version of the tests', () => {
  const { runtime } = propertiesOfApp().functionAppConfig;
  expect(JSON.parse(readFileSync('package.json', 'utf8')).devDependencies.node.split('.')[0]).toBe(runtime.version);
});

test('the app cannot be deployed with a password', () => {
  const policies = allOf(deployment, `${SITE}/basicPublishingCredentialsPolicies`);
  expect(policies.map(({ name, body }) => [name, body.properties])).toEqual([
    ['scm', { allow: false }],
    ['ftp', { allow: false }],
  ]);
});

describe('instances kept warm', () => {
  const warm = (params: Record<string, unknown>) =>
    propertiesOfApp(params).functionAppConfig.scaleAndConcurrency.alwaysReady;

  test.each([
    ['alwaysReadyHttp', 'http'],
    ['alwaysReadyImports', 'function:plan-import'],
    ['alwaysReadyImports', 'function:dispatch-checks'],
    ['alwaysReadyCheckMailbox', `function:${WORKER}`],
  ])('%s is the number of %s', (parameter, name) => {
    expect(warm({ [parameter]: 3 })).toContainEqual({ name, instanceCount: 3 });
    expect(warm({ [parameter]: 0 }).filter((one: { name: string }) => one.name === name)).toEqual([]);
  });

  // Otherwise nobody notices that a function was renamed: Azure keeps an instance warm for a name that does not exist.
  test('are those of functions that exist', () => {
    const names = warm({}).map(({ name }: { name: string }) => name.replace('function:', ''));
    expect(names.filter((name: string) => name !== 'http' && !Object.values<string>(queues).includes(name))).toEqual(
      [],
    );
  });

  // Azure refuses a single one.
  test.each([
    [0, []],
    [1, [{ name: 'http', instanceCount: 2 }]],
    [2, [{ name: 'http', instanceCount: 2 }]],
    [3, [{ name: 'http', instanceCount: 3 }]],
  ])('over several zones, %i become %o', (alwaysReadyHttp, expected) => {
    const others = { alwaysReadyImports: 0, alwaysReadyCheckMailbox: 0 };
    expect(warm({ zoneRedundant: true, alwaysReadyHttp, ...others })).toEqual(expected);
  });
});

describe('who may call', () => {
  const network = (name: string, priority: number, ipAddress: string) => ({
    name,
    priority,
    action: 'Allow',
    ipAddress,
  });
  const frontDoor = {
    ...network('front-door', 1000, 'AzureFrontDoor.Backend'),
    tag: 'ServiceTag',
    headers: { 'x-azure-fdid': ['7a3f'] },
  };
  const networks = [network('network-1', 100, '203.0.113.0/24'), network('network-2', 101, '198.51.100.7/32')];
  const allowedNetworks = '203.0.113.0/24, 198.51.100.7/32';

  test.each([
    ['no rule: everyone', {}, [], 'Allow', 'everyone'],
    ['networks', { allowedNetworks }, networks, 'Deny', 'narrowed'],
    ['one Front Door profile', { frontDoorId: '7a3f' }, [frontDoor], 'Deny', 'narrowed'],
    ['both', { allowedNetworks, frontDoorId: '7a3f' }, [...networks, frontDoor], 'Deny', 'narrowed'],
  ])('%s', (_, params, rules, otherwise, told) => {
    const { siteConfig } = propertiesOfApp(params);
    expect(siteConfig.ipSecurityRestrictions).toEqual(rules);
    expect(siteConfig.ipSecurityRestrictionsDefaultAction).toBe(otherwise);
    expect(deployed(params).outputs.API_INGRESS).toBe(told);
    // Deployments come from elsewhere.
    expect(siteConfig.scmIpSecurityRestrictionsUseMain).toBe(false);
  });

  test('browsers of the origins that are named', () => {
    const { cors } = propertiesOfApp({ allowedOrigins: 'https://a.example, https://b.example' }).siteConfig;
    expect(cors).toEqual({ allowedOrigins: ['https://a.example', 'https://b.example'], supportCredentials: false });
  });
});
