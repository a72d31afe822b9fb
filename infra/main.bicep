// Everything that one deployment of Muster needs, in its own resource group. `azd up` runs it; see docs/deploy.md.
targetScope = 'subscription'

@description('Name of the azd environment. It appears in the resource group and the tags.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of every resource. These regions offer Flex Consumption.')
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Object id of the person or pipeline that deploys.')
param principalId string = ''

@description('Gives principalId the right to write secrets to the operator vault, to store the operator key.')
param grantDeployer bool = true

@allowed([
  'User'
  'ServicePrincipal'
  'Group'
])
@description('Type of the principal with the id principalId. azd knows it.')
param principalType string = 'User'

@description('Address at which customers reach the API, such as https://muster.example.com. Empty: the app\'s own name.')
param publicUrl string = ''

@description('Browser origins that may call the API, separated by commas. Empty: none.')
param allowedOrigins string = ''

@description('Networks that may call the API, in CIDR notation, separated by commas. Empty: every network, unless frontDoorId is set.')
param allowedNetworks string = ''

@description('Id of the Azure Front Door profile that may call the API (its property frontDoorId). Empty: none.')
param frontDoorId string = ''

@description('Node version that runs the app.')
param nodeVersion string = '24'

@allowed([
  512
  2048
  4096
])
@description('Memory of one instance in MB.')
param instanceMemoryMB int = 2048

@description('Maximum number of instances of one scaling group. Flex Consumption accepts 40 or more.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Maximum number of HTTP requests that one instance accepts at the same time. Most of them wait for storage, for Microsoft or for their turn.')
@minValue(1)
@maxValue(1000)
param httpPerInstanceConcurrency int = 64

@description('Instances kept warm for the API. 0 lets it scale to zero.')
@minValue(0)
param alwaysReadyHttp int = 1

@description('Instances kept warm for each of the two functions that start an import: one reads the file, one sends the checks. 0 lets them scale to zero.')
@minValue(0)
param alwaysReadyImports int = 1

@description('Instances kept warm for checking mailboxes. 0 lets it scale to zero.')
@minValue(0)
param alwaysReadyCheckMailbox int = 1

@description('Spreads the app and its storage over availability zones, if the region has them. Azure then needs two instances wherever one is kept warm.')
param zoneRedundant bool = false

@description('Number of days after which an uploaded file is deleted, by the app and by a rule of the storage account.')
@minValue(1)
param uploadsKeptDays int = 30

@description('Number of days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logsKeptDays int = 30

@description('Makes storage and both vaults reachable through a virtual network only.')
param vnetEnabled bool = false

@description('With vnetEnabled: the one public address that may reach the operator vault, so that the operator key can be stored from outside. Empty: none.')
param vaultAllowedIp string = ''

@description('When the sweep looks for the unfinished work of dead processes. NCRONTAB, six fields, UTC.')
param sweepSchedule string = '0 * * * * *'

@description('When the app looks for expiring client secrets and tidies up. NCRONTAB, six fields, UTC.')
param expirySchedule string = '0 0 6 * * *'

@description('When the app removes uploads and rows that have been kept for long enough. NCRONTAB, six fields, UTC.')
param retentionSchedule string = '0 */5 * * * *'

@description('Sender of the e-mails about expiring client secrets, such as Muster <alerts@contoso.com>. The operator vault must have the secret smtp-url. Empty: the deployment has no mail server.')
param emailFrom string = ''

@description('Client id of a multi-tenant app of yours, so that customers need not register an app of their own. Empty: there is none.')
param vendorAppClientId string = ''

@allowed([
  'global'
  'usgov'
  'usgovdod'
  'china'
])
@description('Microsoft cloud in which the app vendorAppClientId is registered. It serves customers of that cloud only.')
param vendorAppCloud string = 'global'

@allowed([
  'managedIdentity'
  'clientSecret'
  'certificate'
])
@description('How the app vendorAppClientId proves who it is: a federated credential for the identity of this deployment, or the secret vendor-app-client-secret or vendor-app-certificate of the operator vault.')
param vendorAppCredential string = 'managedIdentity'

@description('E-mail addresses that alerts go to, separated by commas. Empty: none.')
param alertEmails string = ''

@description('Address that gets a POST for each alert, in the common alert schema of Azure Monitor. Empty: none.')
@secure()
param alertWebhookUrl string = ''

@description('Creates the alert rules.')
param alertsEnabled bool = true

@description('Monthly budget of the resource group, in the currency of the subscription. When its cost reaches 80 percent, or is expected to exceed the budget, alertEmails and the owners are told. 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('With monthlyBudget: the first day of the month in which the budget starts, such as 2026-12-01. Azure does not let it change later.')
param budgetStart string = ''

@description('Further settings by name, to replace their defaults. docs/settings.md lists them.')
param furtherSettings object = {}

var tags = {
  'azd-env-name': environmentName
}
var token = toLower(uniqueString(subscription().id, environmentName, location))

var emails = empty(alertEmails) ? [] : map(split(alertEmails, ','), (one) => trim(one))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    applicationInsightsName: 'appi-${token}'
    location: location
    tags: tags
    logsKeptDays: logsKeptDays
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    hostAccountName: 'sthost${token}'
    dataAccountName: 'stdata${token}'
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    publicNetworkAccess: vnetEnabled ? 'Disabled' : 'Enabled'
    uploadsKeptDays: uploadsKeptDays
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Two vaults, so that nobody who deploys can read a customer's secret: the one of the deployment itself, and the customers'.
module operatorVault 'app/key-vault.bicep' = {
  name: 'operator-vault'
  scope: group
  params: {
    name: 'kv-op-${token}'
    location: location
    tags: tags
    privateOnly: vnetEnabled
    allowedIp: vaultAllowedIp
    workspaceId: monitoring.outputs.workspaceId
  }
}

module customerVault 'app/key-vault.bicep' = {
  name: 'customer-vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    privateOnly: vnetEnabled
    allowedIp: ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'app/rbac.bicep' = {
  name: 'rbac'
  scope: group
  params: {
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: grantDeployer ? principalId : ''
    deployerPrincipalType: principalType
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    operatorVaultName: operatorVault.outputs.name
    customerVaultName: customerVault.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module network 'app/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    operatorVaultName: operatorVault.outputs.name
    customerVaultName: customerVault.outputs.name
  }
}

module api 'app/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    planName: 'plan-${token}'
    name: 'func-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostAccountName: storage.outputs.hostAccountName
    deploymentContainerName: storage.outputs.deploymentContainerName
    dataAccountName: storage.outputs.dataAccountName
    operatorVaultUrl: operatorVault.outputs.url
    customerVaultUrl: customerVault.outputs.url
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workspaceId: monitoring.outputs.workspaceId
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    publicUrl: publicUrl
    allowedOrigins: empty(allowedOrigins) ? [] : map(split(allowedOrigins, ','), (one) => trim(one))
    allowedNetworks: empty(allowedNetworks) ? [] : map(split(allowedNetworks, ','), (one) => trim(one))
    frontDoorId: frontDoorId
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpPerInstanceConcurrency: httpPerInstanceConcurrency
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyImports: alwaysReadyImports
    alwaysReadyCheckMailbox: alwaysReadyCheckMailbox
    zoneRedundant: zoneRedundant
    sweepSchedule: sweepSchedule
    expirySchedule: expirySchedule
    retentionSchedule: retentionSchedule
    uploadsKeptDays: uploadsKeptDays
    emailFrom: emailFrom
    vendorAppClientId: vendorAppClientId
    vendorAppCloud: vendorAppCloud
    vendorAppCredential: vendorAppCredential
    furtherSettings: furtherSettings
  }
  // The app reads its package, its storage and the operator key as its identity, so the roles must exist first.
  dependsOn: [
    roles
  ]
}

module workbook 'app/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'app/alerts.bicep' = if (alertsEnabled) {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    operatorVaultName: operatorVault.outputs.name
    customerVaultName: customerVault.outputs.name
    emails: emails
    webhookUrl: alertWebhookUrl
  }
}

module budget 'app/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: {
    amount: monthlyBudget
    start: budgetStart
    emails: emails
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output OPERATOR_VAULT_ID string = operatorVault.outputs.id
output OPERATOR_VAULT_URL string = operatorVault.outputs.url
output APP_PRINCIPAL_ID string = identity.outputs.principalId
output FUNCTION_APP_ID string = api.outputs.id
output API_URL string = api.outputs.url
output API_INGRESS string = empty(allowedNetworks) && empty(frontDoorId) ? 'everyone' : 'narrowed'
output WORKBOOK_ID string = workbook.outputs.id
