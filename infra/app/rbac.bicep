// Every role that this deployment grants. No other file grants one.
param appPrincipalId string

@description('The person or pipeline that deploys. Empty: no role is granted.')
param deployerPrincipalId string
param deployerPrincipalType string

param hostAccountName string
param dataAccountName string
param operatorVaultName string
param customerVaultName string
param applicationInsightsName string

var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
var keyVaultCertificatesOfficer = 'a4417e6f-fecd-4de8-b567-7b0420556985'
var keyVaultCryptoUser = '12338af0-0e69-4776-bea7-57ae8d297424'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

// The Functions host takes leases on blobs and requires Blob Data Owner on its own account.
var hostRoles = [
  storageBlobDataOwner
  storageQueueDataContributor
  storageTableDataContributor
]
var dataRoles = [
  storageBlobDataContributor
  storageQueueDataContributor
  storageTableDataContributor
]

// Officer, not User: the API stores, replaces and removes customers' client secrets and certificates. It signs with the
// keys of certificates, and reads none of them. Nobody else has a role on this vault.
var customerVaultRoles = [
  keyVaultSecretsOfficer
  keyVaultCertificatesOfficer
  keyVaultCryptoUser
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

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource appOnHostAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in hostRoles: {
    name: guid(hostAccount.id, appPrincipalId, role)
    scope: hostAccount
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource appOnDataAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in dataRoles: {
    name: guid(dataAccount.id, appPrincipalId, role)
    scope: dataAccount
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

// The app only reads the deployment's own secrets.
resource appOnOperatorVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(operatorVault.id, appPrincipalId, keyVaultSecretsUser)
  scope: operatorVault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource appOnCustomerVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in customerVaultRoles: {
    name: guid(customerVault.id, appPrincipalId, role)
    scope: customerVault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource appOnApplicationInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, appPrincipalId, monitoringMetricsPublisher)
  scope: applicationInsights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Needed to store the operator key. The customers' secrets are in the other vault.
resource deployerOnOperatorVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(operatorVault.id, deployerPrincipalId, keyVaultSecretsOfficer)
  scope: operatorVault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
  }
}
