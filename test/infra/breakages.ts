/** A defect that somebody could make: in this file, the first text becomes the second. */
export interface Breakage {
  what: string;
  file: string;
  from: string;
  to: string;
}

const API = 'infra/app/api.bicep';
const RBAC = 'infra/app/rbac.bicep';
const MAIN = 'infra/main.bicep';
const STORAGE = 'infra/app/storage.bicep';
const NETWORK = 'infra/app/network.bicep';
const ALERTS = 'infra/app/alerts.bicep';

/**
 * Defects that tests of `infra/` must notice. `node scripts/break-infra.ts` makes each of them, one at a time in a copy, and
 * tells which test notices. A test holds that each can still be made.
 */
export const breakages: Breakage[] = [
  breakage(
    'roles of the data account are granted on the host account',
    RBAC,
    '  scope: dataAccount',
    '  scope: hostAccount',
  ),
  breakage(
    'a role is another one',
    RBAC,
    '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
    '974c5e8b-45b9-4653-ba55-5f855dd0fb89',
  ),
  breakage(
    'the app’s role on the operator vault is Officer',
    RBAC,
    "'Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser",
    "'Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer",
  ),
  breakage(
    'the deployer may read customers’ secrets',
    RBAC,
    '= if (!empty(deployerPrincipalId)) {\n  name: guid(operatorVault.id, deployerPrincipalId, keyVaultSecretsOfficer)\n  scope: operatorVault',
    '= if (!empty(deployerPrincipalId)) {\n  name: guid(operatorVault.id, deployerPrincipalId, keyVaultSecretsOfficer)\n  scope: customerVault',
  ),
  breakage('the deployer always gets its role', RBAC, ' = if (!empty(deployerPrincipalId)) {', ' = {'),
  breakage('the app’s identity counts as a person', RBAC, "principalType: 'ServicePrincipal'", "principalType: 'User'"),
  breakage('DataStorage__credential is dropped', API, "  DataStorage__credential: 'managedidentity'\n", ''),
  breakage(
    'AzureWebJobsStorage__blobServiceUri is dropped',
    API,
    '  AzureWebJobsStorage__blobServiceUri: hostAccount.properties.primaryEndpoints.blob\n',
    '',
  ),
  breakage('the authentication of telemetry is dropped', API, ";Authorization=AAD'", "'"),
  breakage(
    'the queues are looked for in the wrong account',
    API,
    'DataStorage__queueServiceUri: dataAccount',
    'DataStorage__queueServiceUri: hostAccount',
  ),
  breakage(
    'the app stores customers’ secrets in the operator vault',
    API,
    'KEY_VAULT_URL: customerVaultUrl',
    'KEY_VAULT_URL: operatorVaultUrl',
  ),
  breakage(
    'the operator key is looked for in the customers’ vault',
    API,
    'operatorVaultUrl}secrets/operator-key',
    'customerVaultUrl}secrets/operator-key',
  ),
  breakage(
    'the credential of the vendor’s app is looked for in the customers’ vault',
    API,
    'operatorVaultUrl}secrets/vendor-app-certificate',
    'customerVaultUrl}secrets/vendor-app-certificate',
  ),
  breakage(
    'the vendor’s app has a credential that nobody chose',
    API,
    '  managedIdentity: {}\n',
    "  managedIdentity: {\n    VENDOR_APP_CLIENT_SECRET: 'x'\n  }\n",
  ),
  breakage(
    'the vendor’s app is configured without a client id',
    API,
    'var vendorAppSettings = empty(vendorAppClientId)',
    'var vendorAppSettings = empty(vendorAppCloud)',
  ),
  breakage('references are resolved without an identity', API, '    keyVaultReferenceIdentity: identityId\n', ''),
  breakage(
    'further settings win',
    API,
    'union(furtherSettings, emailSettings, vendorAppSettings, ownSettings)',
    'union(ownSettings, vendorAppSettings, emailSettings, furtherSettings)',
  ),
  breakage('one warm instance over several zones', API, 'zoneRedundant ? 2 : 1', 'zoneRedundant ? 1 : 1'),
  breakage(
    'a warm instance for a function that does not exist',
    API,
    "'function:check-mailbox'",
    "'function:check-mailboxes'",
  ),
  breakage(
    'everyone may call although networks are named',
    API,
    "empty(ingressRules) ? 'Allow' : 'Deny'",
    "empty(ingressRules) ? 'Allow' : 'Allow'",
  ),
  breakage('any Front Door may call', API, "'x-azure-fdid'", "'x-azure-fd'"),
  breakage(
    'deployments are narrowed like calls',
    API,
    'scmIpSecurityRestrictionsUseMain: false',
    'scmIpSecurityRestrictionsUseMain: true',
  ),
  breakage(
    'two resources have the tag that azd looks for',
    MAIN,
    "  'azd-env-name': environmentName\n",
    "  'azd-env-name': environmentName\n  'azd-service-name': 'api'\n",
  ),
  breakage('HTTP/2 is off', API, 'http20Enabled: true', 'http20Enabled: false'),
  breakage('an enum is misspelt', API, "ftpsState: 'Disabled'", "ftpsState: 'Disable'"),
  breakage('another enum is misspelt', STORAGE, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS12'"),
  breakage('a property is misspelt', API, 'httpsOnly: true', 'httpOnly: true'),
  breakage('a required property is missing', STORAGE, "  kind: 'StorageV2'\n", ''),
  breakage(
    'an API version does not exist',
    API,
    "'Microsoft.Web/sites@2024-04-01' = {",
    "'Microsoft.Web/sites@2024-04-02' = {",
  ),
  breakage('shared keys are on', STORAGE, 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: true'),
  breakage('old uploads stay', STORAGE, "'uploads/'", "'upload/'"),
  breakage('a queue is missing', STORAGE, "  'publish-events'\n", ''),
  breakage('a poison queue is misspelt', STORAGE, "'check-mailbox-poison'", "'check-mailbox-posion'"),
  breakage(
    'the vault can be purged',
    'infra/app/key-vault.bicep',
    'enablePurgeProtection: true',
    'enablePurgeProtection: false',
  ),
  breakage('the customers’ vault admits an address', MAIN, "    allowedIp: ''", '    allowedIp: vaultAllowedIp'),
  breakage('the DNS zone of the vaults is wrong', NETWORK, "'.vaultcore.'", "'.vault.'"),
  breakage(
    'an endpoint is found in the wrong zone',
    NETWORK,
    "    group: 'queue'\n    zone: 1\n    target: dataAccount.id",
    "    group: 'queue'\n    zone: 0\n    target: dataAccount.id",
  ),
  breakage(
    'the subnet is delegated to the wrong service',
    NETWORK,
    "'Microsoft.App/environments'",
    "'Microsoft.Web/serverFarms'",
  ),
  breakage(
    'keys can send telemetry',
    'infra/app/monitoring.bicep',
    'DisableLocalAuth: true',
    'DisableLocalAuth: false',
  ),
  breakage('a diagnostic category does not exist', STORAGE, "category: 'Transaction'", "category: 'Transactions'"),
  breakage('the app is created before its roles', MAIN, '  dependsOn: [\n    roles\n  ]\n', ''),
  breakage(
    'a module gets the wrong account',
    MAIN,
    '    dataAccountName: storage.outputs.dataAccountName\n    operatorVaultName',
    '    dataAccountName: storage.outputs.hostAccountName\n    operatorVaultName',
  ),
  breakage(
    'a module does not get a parameter',
    MAIN,
    "    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''\n",
    '',
  ),
  breakage(
    'an output that a hook reads is missing',
    MAIN,
    'output OPERATOR_VAULT_ID string = operatorVault.outputs.id\n',
    '',
  ),
  breakage(
    'a schedule differs from the app’s',
    MAIN,
    "sweepSchedule string = '0 * * * * *'",
    "sweepSchedule string = '0 0 * * * *'",
  ),
  breakage(
    'pipelines count as people',
    'infra/main.parameters.json',
    '{AZURE_PRINCIPAL_TYPE=User}',
    '{MUSTER_PRINCIPAL_TYPE=User}',
  ),
  breakage(
    'a default in the docs is wrong',
    'docs/deploy.md',
    '| `MUSTER_LOGS_KEPT_DAYS` | `30`',
    '| `MUSTER_LOGS_KEPT_DAYS` | `60`',
  ),
  breakage('host.json has no extension bundle', 'host.json', '"extensionBundle": {', '"extensionBundles": {'),
  breakage('host.json has no telemetry mode', 'host.json', '  "telemetryMode": "OpenTelemetry",\n', ''),
  breakage(
    'an alert asks for a line that nobody writes',
    ALERTS,
    '{"event":"import_stalled"',
    '{"event":"import_stuck"',
  ),
  breakage('an alert asks for a field that no line has', ALERTS, 'toint(line.poisonDepth)', 'toint(line.poison)'),
  breakage('an alert is no query', ALERTS, '| summarize requests = count()', '| summarise requests = count()'),
  breakage(
    'an alert is never raised',
    ALERTS,
    "(rule.fires == 'missing') ? 1 : 0",
    "(rule.fires == 'missing') ? 0 : 0",
  ),
  breakage(
    'a line of the code is renamed',
    'shared/kernel/signals.ts',
    "tenant: 'text', mode: 'text'",
    "tenant: 'text', pace: 'text'",
  ),
  breakage(
    'the workbook asks for a field that no line has',
    'infra/app/workbook.json',
    'tolong(line.mailboxes)',
    'tolong(line.count)',
  ),
  breakage(
    'the workbook reads a text as a number',
    'infra/app/workbook.json',
    'Tenant = tostring(line.tenant)',
    'Tenant = tolong(line.tenant)',
  ),
  breakage(
    'the vendor’s app is looked for in the wrong cloud',
    MAIN,
    '    vendorAppCloud: vendorAppCloud\n',
    '    vendorAppCloud: vendorAppCredential\n',
  ),
  breakage(
    'the client id of the vendor’s app is not passed on',
    MAIN,
    '    vendorAppClientId: vendorAppClientId\n',
    "    vendorAppClientId: ''\n",
  ),
  breakage('the vendor’s app cannot be in China', MAIN, "  'usgovdod'\n  'china'\n", "  'usgovdod'\n"),
  breakage(
    'the vendor’s app needs a secret by default',
    MAIN,
    "vendorAppCredential string = 'managedIdentity'",
    "vendorAppCredential string = 'clientSecret'",
  ),
  breakage(
    'the cloud of the vendor’s app is read from another variable',
    'infra/main.parameters.json',
    '{MUSTER_VENDOR_APP_CLOUD=global}',
    '{MUSTER_VENDOR_CLOUD=global}',
  ),
  breakage(
    'the vendor’s app needs a certificate if azd is told nothing',
    'infra/main.parameters.json',
    '{MUSTER_VENDOR_APP_CREDENTIAL=managedIdentity}',
    '{MUSTER_VENDOR_APP_CREDENTIAL=certificate}',
  ),
  breakage('the app is not told the cloud of the vendor’s app', API, '        VENDOR_APP_CLOUD: vendorAppCloud\n', ''),
  breakage(
    'a setting of the vendor’s app is misspelt',
    API,
    'VENDOR_APP_CLIENT_ID: vendorAppClientId',
    'VENDOR_CLIENT_ID: vendorAppClientId',
  ),
  breakage(
    'the secret of the vendor’s app has another name than the docs say',
    API,
    'secrets/vendor-app-client-secret',
    'secrets/vendor-app-secret',
  ),
  breakage(
    'the certificate of the vendor’s app arrives as a client secret',
    API,
    'VENDOR_APP_CERTIFICATE:',
    'VENDOR_APP_CLIENT_SECRET:',
  ),
  breakage(
    'a command of the docs stores the certificate of the vendor’s app under another name',
    'docs/vendor-app.md',
    '--name vendor-app-certificate',
    '--name vendor-certificate',
  ),
  breakage(
    'the docs give the vendor’s app another permission',
    'docs/vendor-app.md',
    'e2a3a72e-5f79-4c64-b1b1-878b674786c9',
    'e2a3a72e-5f79-4c64-b1b1-878b674786c0',
  ),
  breakage(
    'the docs name another redirect URI of the vendor’s app',
    'docs/vendor-app.md',
    '"<public url>/v1/consent/sign-in"',
    '"<public url>/v1/consent/signin"',
  ),
  breakage(
    'the check after a deployment looks for another secret of the vendor’s app',
    'infra/hooks/check-vendor-app.ts',
    "certificate: 'vendor-app-certificate'",
    "certificate: 'vendor-certificate'",
  ),
  breakage(
    'the output that the federated credential needs is missing',
    MAIN,
    'output APP_PRINCIPAL_ID string = identity.outputs.principalId\n',
    '',
  ),
  breakage(
    'the federated credential names another id',
    MAIN,
    'identity.outputs.principalId\noutput',
    'identity.outputs.clientId\noutput',
  ),
  breakage(
    'the output that a command of the docs needs is missing',
    MAIN,
    'output FUNCTION_APP_ID string = api.outputs.id\n',
    '',
  ),
  breakage('the queue of directories is missing', STORAGE, "  'read-directory'\n", ''),
  breakage(
    'the poison queue of directories is misspelt',
    STORAGE,
    "'read-directory-poison'",
    "'read-directories-poison'",
  ),
  breakage('the table of directories is missing', STORAGE, "  'directory'\n", ''),
  breakage('a timer has no schedule', API, '  RETENTION_SCHEDULE: retentionSchedule\n', ''),
  breakage(
    'another schedule differs from the app’s',
    MAIN,
    "retentionSchedule string = '0 */5 * * * *'",
    "retentionSchedule string = '0 0 5 * * *'",
  ),
  breakage('old uploads are kept for another time than the app says', API, "UPLOADS_KEPT: 'P", "UPLOADS_KEPT: 'PT"),
  breakage(
    'the alert of the vendor’s app asks for a line that nobody writes',
    ALERTS,
    '{"event":"vendor_app_expiring"',
    '{"event":"vendor_app_expires"',
  ),
  breakage(
    'the alert of the vendor’s app looks back for less than a day',
    ALERTS,
    '"vendor_app_expiring"\'\n| where TimeGenerated > ago(26h)',
    '"vendor_app_expiring"\'\n| where TimeGenerated > ago(6h)',
  ),
  breakage(
    'the alert of expiring secrets does not see those that have expired',
    ALERTS,
    '{"event":"client_secret_expir\'',
    '{"event":"client_secret_expiring\'',
  ),
  breakage(
    'the runbook does not explain an alert',
    'docs/operations.md',
    '### The credential of your own app expires',
    '### Credentials',
  ),
];

function breakage(what: string, file: string, from: string, to: string): Breakage {
  return { what, file, from, to };
}
