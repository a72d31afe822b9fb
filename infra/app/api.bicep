// The app: a Flex Consumption plan, and the function app with every setting that it needs.
param planName string
param name string
param location string
param tags object
param identityId string
param identityClientId string
param hostAccountName string
param deploymentContainerName string
param dataAccountName string
param operatorVaultUrl string
param customerVaultUrl string
param applicationInsightsName string
param workspaceId string

@description('Subnet for the app\'s outgoing traffic. Empty: the internet.')
param subnetId string

param publicUrl string
param allowedOrigins array

@description('Networks that may call the app, in CIDR notation.')
param allowedNetworks array

@description('The Front Door profile that may call the app. Empty: none.')
param frontDoorId string

param nodeVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param httpPerInstanceConcurrency int
param alwaysReadyHttp int
param alwaysReadyImports int
param alwaysReadyCheckMailbox int
param zoneRedundant bool
param sweepSchedule string
param expirySchedule string
param retentionSchedule string

@minValue(1)
param uploadsKeptDays int

param emailFrom string

@description('The multi-tenant app of this deployment. Empty: none.')
param vendorAppClientId string

param vendorAppCloud string
param vendorAppCredential string
param furtherSettings object

// All HTTP functions scale together. Every queue function scales alone.
var wantedReady = [
  {
    name: 'http'
    instanceCount: alwaysReadyHttp
  }
  {
    name: 'function:plan-import'
    instanceCount: alwaysReadyImports
  }
  {
    name: 'function:dispatch-checks'
    instanceCount: alwaysReadyImports
  }
  {
    name: 'function:check-mailbox'
    instanceCount: alwaysReadyCheckMailbox
  }
]
// Over several zones, Azure accepts none or at least two.
var fewestReady = zoneRedundant ? 2 : 1
var alwaysReady = map(
  filter(wantedReady, (group) => (group.instanceCount > 0)),
  (group) => {
    name: group.name
    instanceCount: max(group.instanceCount, fewestReady)
  }
)

var networkRules = [
  for (network, index) in allowedNetworks: {
    name: 'network-${index + 1}'
    priority: 100 + index
    action: 'Allow'
    ipAddress: network
  }
]
// Every Front Door profile of every customer of Azure sends from the same addresses. Only the header tells whose it is.
var frontDoorRules = empty(frontDoorId)
  ? []
  : [
      {
        name: 'front-door'
        priority: 1000
        action: 'Allow'
        tag: 'ServiceTag'
        ipAddress: 'AzureFrontDoor.Backend'
        headers: {
          'x-azure-fdid': [
            frontDoorId
          ]
        }
      }
    ]
var ingressRules = concat(networkRules, frontDoorRules)

resource hostAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: dataAccountName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  // azd deploys to the one resource with this tag, and fails if there are two.
  tags: union(tags, {
    'azd-service-name': 'api'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Without it the platform resolves @Microsoft.KeyVault(…) as a system-assigned identity, which this app does not have.
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      // Without a rule, everyone may call. Every call still needs an API key.
      ipSecurityRestrictions: ingressRules
      ipSecurityRestrictionsDefaultAction: empty(ingressRules) ? 'Allow' : 'Deny'
      // Deployments come from other networks than calls. They need an Entra identity.
      scmIpSecurityRestrictionsUseMain: false
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      cors: {
        allowedOrigins: allowedOrigins
        supportCredentials: false
      }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.properties.primaryEndpoints.blob}${deploymentContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: httpPerInstanceConcurrency
          }
        }
      }
    }
  }
}

// Only an Entra identity can deploy.
resource noBasicAuthToScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noBasicAuthToFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

// The URL contains a password, so only the vault has it.
var emailSettings = empty(emailFrom)
  ? {}
  : {
      EMAIL_FROM: emailFrom
      SMTP_URL: '@Microsoft.KeyVault(SecretUri=${operatorVaultUrl}secrets/smtp-url)'
    }
// With a federated credential there is nothing to store: the app's identity is the credential.
var vendorAppCredentials = {
  managedIdentity: {}
  clientSecret: {
    VENDOR_APP_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${operatorVaultUrl}secrets/vendor-app-client-secret)'
  }
  certificate: {
    VENDOR_APP_CERTIFICATE: '@Microsoft.KeyVault(SecretUri=${operatorVaultUrl}secrets/vendor-app-certificate)'
  }
}
var vendorAppSettings = empty(vendorAppClientId)
  ? {}
  : union(
      {
        VENDOR_APP_CLIENT_ID: vendorAppClientId
        VENDOR_APP_CLOUD: vendorAppCloud
      },
      vendorAppCredentials[vendorAppCredential]
    )
var ownSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: hostAccount.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: hostAccount.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: hostAccount.properties.primaryEndpoints.table
  DataStorage__credential: 'managedidentity'
  DataStorage__clientId: identityClientId
  DataStorage__blobServiceUri: dataAccount.properties.primaryEndpoints.blob
  DataStorage__queueServiceUri: dataAccount.properties.primaryEndpoints.queue
  DataStorage__tableServiceUri: dataAccount.properties.primaryEndpoints.table
  KEY_VAULT_URL: customerVaultUrl
  AZURE_CLIENT_ID: identityClientId
  OPERATOR_KEY: '@Microsoft.KeyVault(SecretUri=${operatorVaultUrl}secrets/operator-key)'
  PUBLIC_URL: empty(publicUrl) ? 'https://${app.properties.defaultHostName}' : publicUrl
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The host reads the timers' %NAME% from the app settings. It does not know the defaults in the code.
  SWEEP_SCHEDULE: sweepSchedule
  EXPIRY_SCHEDULE: expirySchedule
  RETENTION_SCHEDULE: retentionSchedule
  // The same time as the lifecycle rule of the uploads.
  UPLOADS_KEPT: 'P${uploadsKeptDays}D'
}

// The last one wins, so furtherSettings cannot replace what this deployment must set.
resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(furtherSettings, emailSettings, vendorAppSettings, ownSettings)
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output id string = app.id
output url string = 'https://${app.properties.defaultHostName}'
