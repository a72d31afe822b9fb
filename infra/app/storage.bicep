// Two accounts: one for the Functions host (leases, deployment package), one for our data. Access to one gives no access to
// the other, and a busy import cannot slow down the host's leases.
param hostAccountName string
param dataAccountName string
param location string
param tags object
param zoneRedundant bool

@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string

@minValue(1)
param uploadsKeptDays int

param workspaceId string

var skuName = zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
var deploymentContainer = 'app-package'

// test/infra/storage-names.test.ts compares these four lists with shared/kernel/storage-names.ts.
var queueNames = [
  'plan-import'
  'dispatch-checks'
  'check-mailbox'
  'delete-connection'
  'publish-events'
  'deliver-event'
  'read-directory'
]
var poisonQueueNames = [
  'plan-import-poison'
  'dispatch-checks-poison'
  'check-mailbox-poison'
  'delete-connection-poison'
  'publish-events-poison'
  'deliver-event-poison'
  'read-directory-poison'
]
var tableNames = [
  'customers'
  'apikeys'
  'connections'
  'consents'
  'imports'
  'mailboxes'
  'webhooks'
  'idempotency'
  'poison'
  'heartbeats'
  'audit'
  'directory'
]
var containerNames = [
  'uploads'
]

resource hostAccount 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      bypass: 'None'
      defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny'
    }
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: hostAccount
  name: 'default'
}

resource deployment 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: hostBlobs
  name: deploymentContainer
  properties: {
    publicAccess: 'None'
  }
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: dataAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      bypass: 'None'
      defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny'
    }
  }
}

// No soft delete: uploads are lists of people's addresses, and deleted must mean gone.
resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: dataAccount
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: false
    }
  }
}

resource dataQueues 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: dataAccount
  name: 'default'
}

resource dataTables 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: dataAccount
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for containerName in containerNames: {
    parent: dataBlobs
    name: containerName
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [
  for queueName in concat(queueNames, poisonQueueNames): {
    parent: dataQueues
    name: queueName
  }
]

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [
  for tableName in tableNames: {
    parent: dataTables
    name: tableName
  }
]

// The app removes uploads itself, after the same time (UPLOADS_KEPT). The rule removes what the app could not.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: dataAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-uploads'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'uploads/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: uploadsKeptDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

// Metrics only. Logging every storage request would cost more than the checks themselves.
resource hostDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: hostAccount
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource dataDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: dataAccount
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

output hostAccountName string = hostAccount.name
output deploymentContainerName string = deployment.name
output dataAccountName string = dataAccount.name
