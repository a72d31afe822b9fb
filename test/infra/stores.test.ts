import { describe, expect, test } from 'vitest';
import { containers } from '../../shared/kernel/storage-names.ts';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

const deployment = deployed();
const isolated = deployed({ vnetEnabled: true });
const base = { location: 'westeurope', tags: { 'azd-env-name': 'prod' } };

describe.each(['sthost*', 'stdata*'])('the storage account %s', (name) => {
  const account = (of: typeof deployment) =>
    brief(of, allOf(of, 'Microsoft.Storage/storageAccounts')).find((one) => one.name === name)?.body;
  const expected = {
    name,
    ...base,
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {
      accessTier: 'Hot',
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      allowSharedKeyAccess: false,
      defaultToOAuthAuthentication: true,
      minimumTlsVersion: 'TLS1_2',
      supportsHttpsTrafficOnly: true,
      publicNetworkAccess: 'Enabled',
      networkAcls: { bypass: 'None', defaultAction: 'Allow' },
    },
  };

  test('is exactly this', () => {
    expect(account(deployment)).toEqual(expected);
  });

  test('is closed to the internet in a virtual network', () => {
    const closed = { publicNetworkAccess: 'Disabled', networkAcls: { bypass: 'None', defaultAction: 'Deny' } };
    expect(account(isolated)).toEqual({ ...expected, properties: { ...expected.properties, ...closed } });
  });

  test('is copied to other zones if the app is', () => {
    expect(account(deployed({ zoneRedundant: true }))).toEqual({ ...expected, sku: { name: 'Standard_ZRS' } });
  });
});

test('there are two storage accounts and no other', () => {
  expect(allOf(deployment, 'Microsoft.Storage/storageAccounts')).toHaveLength(2);
});

test('no container is public', () => {
  const all = brief(deployment, allOf(deployment, 'Microsoft.Storage/storageAccounts/blobServices/containers'));
  const name = (account: string, container: string) =>
    `Microsoft.Storage/storageAccounts/${account}/blobServices/default/containers/${container}`;
  expect(all.map(({ id, body }) => [id, body.properties])).toEqual([
    [name('sthost*', 'app-package'), { publicAccess: 'None' }],
    [name('stdata*', containers.uploads), { publicAccess: 'None' }],
  ]);
});

test('deleted uploads are gone, and old ones are deleted', () => {
  const services = brief(deployment, allOf(deployment, 'Microsoft.Storage/storageAccounts/blobServices'));
  const ofData = services.find(({ id }) => id.includes('stdata*'));
  expect(ofData?.body.properties).toEqual({ deleteRetentionPolicy: { enabled: false } });
  const policy = brief(deployment, oneOf(deployment, 'Microsoft.Storage/storageAccounts/managementPolicies'));
  expect(policy.id).toBe('Microsoft.Storage/storageAccounts/stdata*/managementPolicies/default');
  const rule = {
    name: 'delete-uploads',
    enabled: true,
    type: 'Lifecycle',
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: [`${containers.uploads}/`] },
      actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } },
    },
  };
  expect(policy.body.properties).toEqual({ policy: { rules: [rule] } });
});

describe.each(['kv-op-*', 'kv-*'])('the vault %s', (name) => {
  const vault = (of: typeof deployment) =>
    brief(of, allOf(of, 'Microsoft.KeyVault/vaults')).find((one) => one.name === name)?.body;
  const expected = {
    name,
    ...base,
    properties: {
      tenantId: '22222222-2222-4222-8222-222222222222',
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
      enableSoftDelete: true,
      softDeleteRetentionInDays: 7,
      enablePurgeProtection: true,
      enabledForDeployment: false,
      enabledForDiskEncryption: false,
      enabledForTemplateDeployment: false,
      publicNetworkAccess: 'Enabled',
      networkAcls: { bypass: 'None', defaultAction: 'Allow', ipRules: [], virtualNetworkRules: [] },
    },
  };
  const closed = {
    publicNetworkAccess: 'Disabled',
    networkAcls: { bypass: 'None', defaultAction: 'Deny', ipRules: [], virtualNetworkRules: [] },
  };

  test('is exactly this', () => {
    expect(vault(deployment)).toEqual(expected);
  });

  test('is closed to the internet in a virtual network', () => {
    expect(vault(isolated)).toEqual({ ...expected, properties: { ...expected.properties, ...closed } });
  });

  test('admits the one address that may store the operator key, if it is the vault for that', () => {
    const admits = { ...closed.networkAcls, ipRules: [{ value: '203.0.113.7' }] };
    const opened = { publicNetworkAccess: 'Enabled', networkAcls: admits };
    const { properties } = vault(deployed({ vnetEnabled: true, vaultAllowedIp: '203.0.113.7' })) ?? {};
    expect(properties).toEqual({ ...expected.properties, ...(name === 'kv-op-*' ? opened : closed) });
  });
});

test('a name of a resource fits its limits in the longest case', () => {
  const { resources } = deployed({ environmentName: 'e'.repeat(64) });
  const longest: Record<string, number> = {
    'Microsoft.Storage/storageAccounts': 24,
    'Microsoft.KeyVault/vaults': 24,
    'Microsoft.Web/sites': 60,
    'Microsoft.Resources/resourceGroups': 90,
  };
  for (const { type, name } of resources) expect(name.length, name).toBeLessThanOrEqual(longest[type] ?? 260);
});
