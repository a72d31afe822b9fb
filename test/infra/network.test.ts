import { expect, test } from 'vitest';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

const deployment = deployed({ vnetEnabled: true });
const all = (type: string) => brief(deployment, allOf(deployment, `Microsoft.Network/${type}`));
const NETWORK = 'Microsoft.Network/virtualNetworks/vnet-*';

test('there is no virtual network unless it is asked for', () => {
  expect(deployed().resources.filter(({ type }) => type.startsWith('Microsoft.Network/'))).toEqual([]);
});

test('the network has a subnet for the app, with the only delegation that Flex Consumption accepts, and one for endpoints', () => {
  expect(brief(deployment, oneOf(deployment, 'Microsoft.Network/virtualNetworks')).body.properties).toEqual({
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: [
      {
        name: 'app',
        properties: {
          addressPrefix: '10.0.0.0/24',
          delegations: [{ name: 'environments', properties: { serviceName: 'Microsoft.App/environments' } }],
        },
      },
      {
        name: 'endpoints',
        properties: { addressPrefix: '10.0.1.0/24', privateEndpointNetworkPolicies: 'Disabled' },
      },
    ],
  });
});

test('the app calls through its subnet', () => {
  const app = brief(deployment, oneOf(deployment, 'Microsoft.Web/sites')).body.properties;
  expect(app).toMatchObject({ virtualNetworkSubnetId: `${NETWORK}/subnets/app` });
});

const zones = {
  blob: 'privatelink.blob.core.windows.net',
  queue: 'privatelink.queue.core.windows.net',
  table: 'privatelink.table.core.windows.net',
  vault: 'privatelink.vaultcore.azure.net',
};

test('every store that is closed has a private endpoint, and each is found in the DNS zone of its service', () => {
  const endpoints = all('privateEndpoints').map(({ name, body }) => {
    const { subnet, privateLinkServiceConnections } = body.properties as {
      subnet: { id: string };
      privateLinkServiceConnections: { properties: { privateLinkServiceId: string; groupIds: string[] } }[];
    };
    const [connection] = privateLinkServiceConnections;
    const { privateLinkServiceId = '', groupIds = [] } = connection?.properties ?? {};
    return [name, subnet.id, privateLinkServiceId.split('/').at(-1), groupIds.join()];
  });
  const found = all('privateEndpoints/privateDnsZoneGroups').map(({ id, body }) => {
    const { privateDnsZoneConfigs } = body.properties as {
      privateDnsZoneConfigs: { properties: { privateDnsZoneId: string } }[];
    };
    return [
      id.split('/').at(-3),
      privateDnsZoneConfigs.map((one) => one.properties.privateDnsZoneId.split('/').at(-1)),
    ];
  });
  const table: [string, string, keyof typeof zones][] = [
    ['host-blob', 'sthost*', 'blob'],
    ['host-queue', 'sthost*', 'queue'],
    ['host-table', 'sthost*', 'table'],
    ['data-blob', 'stdata*', 'blob'],
    ['data-queue', 'stdata*', 'queue'],
    ['data-table', 'stdata*', 'table'],
    ['operator-vault', 'kv-op-*', 'vault'],
    ['customer-vault', 'kv-*', 'vault'],
  ];
  const subnet = `${NETWORK}/subnets/endpoints`;
  expect(endpoints).toEqual(table.map(([name, target, group]) => [`pe-vnet-*-${name}`, subnet, target, group]));
  expect(found).toEqual(table.map(([name, , group]) => [`pe-vnet-*-${name}`, [zones[group]]]));
});

test('the network resolves names in every zone', () => {
  const linked = all('privateDnsZones/virtualNetworkLinks').map(({ id, body }) => [
    id.split('/').at(-3),
    body.properties,
  ]);
  const link = { registrationEnabled: false, virtualNetwork: { id: NETWORK } };
  expect(linked).toEqual(Object.values(zones).map((zone) => [zone, link]));
  expect(all('privateDnsZones').map(({ name, body }) => [name, body.location])).toEqual(
    Object.values(zones).map((zone) => [zone, 'global']),
  );
});
