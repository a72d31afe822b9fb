import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { at, bicepPaths, type Declaration, descendants, Expression, readBicep } from './bicep.ts';

const files = bicepPaths.map(readBicep);
const created = files.flatMap(({ path, resources }) =>
  resources
    .filter(({ existing }) => !existing)
    .map((resource) => ({ ...resource, path, id: `${path} ${resource.name}` })),
);
const ofType = (type: string) => created.filter((resource) => resource.type === type);
const property = (resource: Declaration | undefined, ...keys: string[]) => at(resource?.value, 'properties', ...keys);

const [app] = ofType('Microsoft.Web/sites');
const [vault] = ofType('Microsoft.KeyVault/vaults');
const accounts = ofType('Microsoft.Storage/storageAccounts');

describe.each(accounts)('storage account $name', (account) => {
  test.each([
    ['allowSharedKeyAccess', false],
    ['allowBlobPublicAccess', false],
    ['allowCrossTenantReplication', false],
    ['defaultToOAuthAuthentication', true],
    ['minimumTlsVersion', 'TLS1_2'],
    ['supportsHttpsTrafficOnly', true],
  ])('%s is %s', (name, value) => {
    expect(property(account, name)).toBe(value);
  });
});

test('the host has a storage account of its own', () => {
  expect(accounts.map(({ name }) => name)).toEqual(['hostAccount', 'dataAccount']);
});

test('no container is public', () => {
  const containers = ofType('Microsoft.Storage/storageAccounts/blobServices/containers');
  expect(containers.length).toBeGreaterThan(0);
  for (const container of containers) expect(property(container, 'publicAccess'), container.id).toBe('None');
});

test.each([
  ['enableRbacAuthorization', true],
  ['enableSoftDelete', true],
  ['softDeleteRetentionInDays', 7],
  ['enablePurgeProtection', true],
  ['enabledForTemplateDeployment', false],
])('the vault: %s is %s', (name, value) => {
  expect(property(vault, name)).toBe(value);
});

test('the vault grants access only by role', () => {
  expect(property(vault, 'accessPolicies')).toBeUndefined();
});

test.each([
  ['httpsOnly', true],
  ['siteConfig.minTlsVersion', '1.2'],
  ['siteConfig.scmMinTlsVersion', '1.2'],
  ['siteConfig.ftpsState', 'Disabled'],
  ['functionAppConfig.runtime.name', 'node'],
  ['functionAppConfig.deployment.storage.authentication.type', 'UserAssignedIdentity'],
])('the app: %s is %s', (path, value) => {
  expect(property(app, ...path.split('.'))).toBe(value);
});

test('the app cannot be deployed with a password', () => {
  const policies = ofType('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  expect(policies.map((policy) => [at(policy.value, 'name'), property(policy, 'allow')])).toEqual([
    ['scm', false],
    ['ftp', false],
  ]);
});

test('no browser origin may call the API unless one is named', () => {
  const main = readBicep('infra/main.bicep');
  expect(main.params.find(({ name }) => name === 'allowedOrigins')?.value).toBe('');
  expect(property(app, 'siteConfig', 'cors', 'supportCredentials')).toBe(false);
});

test('the app runs on Flex Consumption with Node 24, like the tests', () => {
  const [plan] = ofType('Microsoft.Web/serverfarms');
  expect(at(plan?.value, 'sku')).toEqual({ name: 'FC1', tier: 'FlexConsumption' });
  expect(property(app, 'functionAppConfig', 'runtime', 'version')).toEqual(new Expression('nodeVersion'));
  const nodeVersion = readBicep('infra/main.bicep').params.find(({ name }) => name === 'nodeVersion')?.value;
  expect(nodeVersion).toBe('24');
  expect(JSON.parse(readFileSync('package.json', 'utf8')).devDependencies.node).toMatch(
    new RegExp(`^${nodeVersion}\\.`),
  );
});

test('each instance has a limit of concurrent requests', () => {
  expect(
    property(app, 'functionAppConfig', 'scaleAndConcurrency', 'triggers', 'http', 'perInstanceConcurrency'),
  ).toEqual(new Expression('httpPerInstanceConcurrency'));
});

test('only Entra identities can send telemetry', () => {
  const [component] = ofType('Microsoft.Insights/components');
  expect(property(component, 'DisableLocalAuth')).toBe(true);
  expect(property(component, 'WorkspaceResourceId')).toEqual(new Expression('workspace.id'));
});

test('the vault, the app and both accounts send diagnostics to the workspace, the vault also its audit log', () => {
  const settings = ofType('Microsoft.Insights/diagnosticSettings');
  const scopes = settings.map((setting) => at(setting.value, 'scope'));
  expect(scopes).toEqual(
    expect.arrayContaining(['vault', 'app', 'hostAccount', 'dataAccount'].map((name) => new Expression(name))),
  );
  const ofVault = settings.find(({ path }) => path.endsWith('key-vault.bicep'));
  expect(property(ofVault, 'logs')).toEqual([{ categoryGroup: 'audit', enabled: true }]);
});

describe('roles', () => {
  const rbac = readBicep('infra/app/rbac.bicep');
  const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  const assignments = ofType('Microsoft.Authorization/roleAssignments');
  const list = (name: string) => rbac.variables.find((variable) => variable.name === name)?.value;

  test('are exactly these', () => {
    const roles = rbac.variables.filter(({ value }) => typeof value === 'string' && guid.test(value));
    expect(Object.fromEntries(roles.map(({ name, value }) => [name, value]))).toEqual({
      storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
      storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
      storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
      storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
      keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
      keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
      monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
    });
  });

  test('are all granted in one file', () => {
    expect(new Set(assignments.map(({ path }) => path))).toEqual(new Set([rbac.path]));
  });

  test('the app owns the blobs of its host account, but not of its data account', () => {
    const queueAndTable = [
      new Expression('storageQueueDataContributor'),
      new Expression('storageTableDataContributor'),
    ];
    expect(list('hostRoles')).toEqual([new Expression('storageBlobDataOwner'), ...queueAndTable]);
    expect(list('dataRoles')).toEqual([new Expression('storageBlobDataContributor'), ...queueAndTable]);
  });

  // A role on the resource group or the subscription would also reach other resources.
  test.each(assignments)('$name applies to one resource only', (assignment) => {
    const scope = at(assignment.value, 'scope');
    expect(scope).toBeInstanceOf(Expression);
    expect(rbac.resources.filter(({ existing }) => existing).map(({ name }) => new Expression(name))).toContainEqual(
      scope,
    );
  });

  test('the deployer gets a role only on the operator vault, and only if the deployment asks for it', () => {
    const ofDeployer = assignments.filter(({ node }) => node.text.includes('principalId: deployerPrincipalId'));
    expect(ofDeployer.map(({ name }) => name)).toEqual(['deployerOnOperatorVault']);
    expect(ofDeployer[0]?.node.text).toContain('if (!empty(deployerPrincipalId))');
  });
});

describe('no key is read or written', () => {
  test.each(files)('$path lists no keys or secrets', ({ root }) => {
    const called = descendants(root).filter(({ type }) => type === 'call_expression');
    const names = called.map((call) => call.namedChildren[0]?.text ?? '');
    expect(names.filter((name) => /(^|\.)(list\w*|getSecret)$/i.test(name))).toEqual([]);
  });

  test.each(files)('$path contains no credential', ({ text }) => {
    expect(text).not.toMatch(/AccountKey=|SharedAccessSignature|InstrumentationKey|-----BEGIN|[?&]sig=/i);
  });

  // Azure stores the parameters and outputs of a deployment, and the portal shows them.
  test.each(files)('$path has no secret among its parameters and outputs', ({ params, outputs }) => {
    const revealing = [...params, ...outputs]
      .map(({ name }) => name)
      .filter((name) => /secret|password|token$|key$/i.test(name));
    expect(revealing).toEqual([]);
  });
});

describe('the optional network', () => {
  const network = readBicep('infra/app/network.bicep');

  test('is off by default', () => {
    const main = readBicep('infra/main.bicep');
    expect(main.params.find(({ name }) => name === 'vnetEnabled')?.value).toBe(false);
    expect(main.modules.find(({ name }) => name === 'network')?.node.text).toContain('if (vnetEnabled)');
  });

  test('delegates the app’s subnet to the only service that Flex Consumption accepts', () => {
    expect(network.text.match(/serviceName: '(.*)'/)?.[1]).toBe('Microsoft.App/environments');
  });

  test('has a private endpoint for every resource that it closes', () => {
    const endpoints = network.variables.find(({ name }) => name === 'endpoints')?.value;
    const names = Array.isArray(endpoints) ? endpoints.map((endpoint) => at(endpoint, 'name')) : [];
    expect(names).toEqual([
      'host-blob',
      'host-queue',
      'host-table',
      'data-blob',
      'data-queue',
      'data-table',
      'operator-vault',
      'customer-vault',
    ]);
  });

  test('resolves each endpoint in the DNS zone of its service', () => {
    const groups = network.variables.find(({ name }) => name === 'groups')?.value;
    const endpoints = network.variables.find(({ name }) => name === 'endpoints')?.value;
    if (!Array.isArray(groups) || !Array.isArray(endpoints)) throw new Error('lists expected');
    for (const endpoint of endpoints) expect(groups[Number(at(endpoint, 'zone'))]).toBe(at(endpoint, 'group'));
  });
});
