// Optional: storage and vaults are reachable through private endpoints only, and the app's outgoing traffic uses a subnet.
param name string
param location string
param tags object
param hostAccountName string
param dataAccountName string
param operatorVaultName string
param customerVaultName string

var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
}
var groups = [
  'blob'
  'queue'
  'table'
  'vault'
]

resource hostAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: dataAccountName
}

resource operatorVault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: operatorVaultName
}

resource customerVault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: customerVaultName
}

var endpoints = [
  {
    name: 'host-blob'
    group: 'blob'
    zone: 0
    target: hostAccount.id
  }
  {
    name: 'host-queue'
    group: 'queue'
    zone: 1
    target: hostAccount.id
  }
  {
    name: 'host-table'
    group: 'table'
    zone: 2
    target: hostAccount.id
  }
  {
    name: 'data-blob'
    group: 'blob'
    zone: 0
    target: dataAccount.id
  }
  {
    name: 'data-queue'
    group: 'queue'
    zone: 1
    target: dataAccount.id
  }
  {
    name: 'data-table'
    group: 'table'
    zone: 2
    target: dataAccount.id
  }
  {
    name: 'operator-vault'
    group: 'vault'
    zone: 3
    target: operatorVault.id
  }
  {
    name: 'customer-vault'
    group: 'vault'
    zone: 3
    target: customerVault.id
  }
]

resource network 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.0.0.0/16'
      ]
    }
    // Subnets are declared inside the network. As separate resources, a second deployment would remove them first.
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          // Flex Consumption accepts no other delegation.
          delegations: [
            {
              name: 'environments'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.1.0/24'
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2023-11-01' existing = {
  parent: network
  name: 'app'
}

resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2023-11-01' existing = {
  parent: network
  name: 'endpoints'
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [
  for group in groups: {
    name: zoneNames[group]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [
  for (group, index) in groups: {
    parent: zones[index]
    name: '${name}-${group}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2023-11-01' = [
  for endpoint in endpoints: {
    name: 'pe-${name}-${endpoint.name}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: endpointSubnet.id
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.target
            groupIds: [
              endpoint.group
            ]
          }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2023-11-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.group
          properties: {
            privateDnsZoneId: zones[endpoint.zone].id
          }
        }
      ]
    }
  }
]

output appSubnetId string = appSubnet.id
