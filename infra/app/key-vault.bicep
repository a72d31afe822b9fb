// A vault. Only roles give access, and nothing can be destroyed for good within a week.
param name string
param location string
param tags object

@description('Closes the vault to the internet, except for allowedIp.')
param privateOnly bool

@description('One public address that may still reach a private vault. Empty: none.')
param allowedIp string

param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: privateOnly && empty(allowedIp) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
      ipRules: privateOnly && !empty(allowedIp)
        ? [
            {
              value: allowedIp
            }
          ]
        : []
      virtualNetworkRules: []
    }
  }
}

// Records who read which secret, and who was refused.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    // A table for each kind of log (AZKVAuditLogs), in place of the one table for everything (AzureDiagnostics).
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output id string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
