import { expect, test } from 'vitest';
import { bicepPaths, readBicep } from './bicep.ts';
import { deployed } from './paper/deployed.ts';

/** Each of these was compared with Microsoft's type definitions. A version that does not exist fails the deployment. */
const versions: Record<string, string> = {
  'Microsoft.Authorization/roleAssignments': '2022-04-01',
  'Microsoft.Consumption/budgets': '2024-08-01',
  'Microsoft.Insights/actionGroups': '2023-01-01',
  'Microsoft.Insights/components': '2020-02-02',
  'Microsoft.Insights/diagnosticSettings': '2021-05-01-preview',
  'Microsoft.Insights/metricAlerts': '2018-03-01',
  'Microsoft.Insights/scheduledQueryRules': '2023-12-01',
  'Microsoft.Insights/workbooks': '2023-06-01',
  'Microsoft.KeyVault/vaults': '2023-07-01',
  'Microsoft.ManagedIdentity/userAssignedIdentities': '2023-01-31',
  'Microsoft.Network/privateDnsZones': '2020-06-01',
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': '2020-06-01',
  'Microsoft.Network/privateEndpoints': '2023-11-01',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': '2023-11-01',
  'Microsoft.Network/virtualNetworks': '2023-11-01',
  'Microsoft.Network/virtualNetworks/subnets': '2023-11-01',
  'Microsoft.OperationalInsights/workspaces': '2023-09-01',
  'Microsoft.Resources/resourceGroups': '2024-03-01',
  'Microsoft.Storage/storageAccounts': '2023-05-01',
  'Microsoft.Storage/storageAccounts/blobServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/blobServices/containers': '2023-05-01',
  'Microsoft.Storage/storageAccounts/managementPolicies': '2023-05-01',
  'Microsoft.Storage/storageAccounts/queueServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/queueServices/queues': '2023-05-01',
  'Microsoft.Storage/storageAccounts/tableServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/tableServices/tables': '2023-05-01',
  'Microsoft.Web/serverfarms': '2024-04-01',
  'Microsoft.Web/sites': '2024-04-01',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': '2024-04-01',
  'Microsoft.Web/sites/config': '2024-04-01',
};

test('every resource type is used in exactly this API version', () => {
  const declared = bicepPaths.flatMap((path) => readBicep(path).resources);
  const used = [...new Set(declared.map(({ type, apiVersion }) => `${type}@${apiVersion}`))];
  expect(used.sort()).toEqual(
    Object.entries(versions)
      .map((entry) => entry.join('@'))
      .sort(),
  );
});

test('every resource that is only read exists', () => {
  const { resources, references } = deployed({ vnetEnabled: true });
  const ids = resources.map(({ id }) => id);
  // Subnets are part of their network.
  const missing = references.filter((id) => !ids.includes(id.replace(/\/subnets\/\w+$/, '')));
  expect(references.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});
