import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { at, bicepPaths, type Declaration, descendants, Expression, readBicep } from './bicep.ts';

const files = bicepPaths.map(readBicep);
const made = files.flatMap(({ path, resources }) =>
  resources
    .filter(({ existing }) => !existing)
    .map((resource) => ({ ...resource, path, id: `${path} ${resource.name}` })),
);
const ofType = (type: string) => made.filter((resource) => resource.type === type);
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

test('the vault grants by role alone', () => {
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

test('the app may not be deployed with a password', () => {
  const policies = ofType('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  expect(policies.map((policy) => [at(policy.value, 'name'), property(policy, 'allow')])).toEqual([
    ['scm', false],
    ['ftp', false],
  ]);
});

test('no browser origin may call the API unless one is named', () => {
  const main = readBicep('infra/main.bicep');
  expect(main.params.find(({ name }) => name === 'allowedOrigins')?.value).toEqual([]);
  expect(property(app, 'siteConfig', 'cors', 'supportCredentials')).toBe(false);
});

test('the app runs on Flex Consumption with Node 24, as the build is tested', () => {
  const [plan] = ofType('Microsoft.Web/serverfarms');
  expect(at(plan?.value, 'sku')).toEqual({ name: 'FC1', tier: 'FlexConsumption' });
  expect(property(app, 'functionAppConfig', 'runtime', 'version')).toEqual(new Expression('nodeVersion'));
  const nodeVersion = readBicep('infra/main.bicep').params.find(({ name }) => name === 'nodeVersion')?.value;
  expect(nodeVersion).toBe('24');
  expect(JSON.parse(readFileSync('package.json', 'utf8')).devDependencies.node).toMatch(
    new RegExp(`^${nodeVersion}\\.`),
  );
});

test('an instance answers a stated number of requests at once', () => {
  expect(
    property(app, 'functionAppConfig', 'scaleAndConcurrency', 'triggers', 'http', 'perInstanceConcurrency'),
  ).toEqual(new Expression('httpPerInstanceConcurrency'));
});

test('telemetry is taken from Entra identities only', () => {
  const [component] = ofType('Microsoft.Insights/components');
  expect(property(component, 'DisableLocalAuth')).toBe(true);
  expect(property(component, 'WorkspaceResourceId')).toEqual(new Expression('workspace.id'));
});

test('vault, app and both accounts send their diagnostics to the workspace; the vault its audit log', () => {
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

  test('are these and no others', () => {
    const roles = rbac.variables.filter(({ value }) => typeof value === 'string' && guid.test(value));
    expect(Object.fromEntries(roles.map(({ name, value }) => [name, value]))).toEqual({
      storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
      storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
      storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
      storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
      keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
      monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
    });
  });

  test('are granted in one file', () => {
    expect(new Set(assignments.map(({ path }) => path))).toEqual(new Set([rbac.path]));
  });

  test('the app owns the blobs of its host only, not those of our data', () => {
    const queueAndTable = [
      new Expression('storageQueueDataContributor'),
      new Expression('storageTableDataContributor'),
    ];
    expect(list('hostRoles')).toEqual([new Expression('storageBlobDataOwner'), ...queueAndTable]);
    expect(list('dataRoles')).toEqual([new Expression('storageBlobDataContributor'), ...queueAndTable]);
  });

  // A role on the group or the subscription would reach resources that nobody thought of.
  test.each(assignments)('$name reaches one resource only', (assignment) => {
    const scope = at(assignment.value, 'scope');
    expect(scope).toBeInstanceOf(Expression);
    expect(rbac.resources.filter(({ existing }) => existing).map(({ name }) => new Expression(name))).toContainEqual(
      scope,
    );
  });

  test('the deployer gets the vault and nothing else, and only when asked for', () => {
    const ofDeployer = assignments.filter(({ node }) => node.text.includes('principalId: deployerPrincipalId'));
    expect(ofDeployer.map(({ name }) => name)).toEqual(['deployerOnVault']);
    expect(ofDeployer[0]?.node.text).toContain('if (!empty(deployerPrincipalId))');
  });
});

describe('no key is read or written down', () => {
  test.each(files)('$path lists no keys or secrets', ({ root }) => {
    const called = descendants(root).filter(({ type }) => type === 'call_expression');
    const names = called.map((call) => call.namedChildren[0]?.text ?? '');
    expect(names.filter((name) => /(^|\.)(list\w*|getSecret)$/i.test(name))).toEqual([]);
  });

  test.each(files)('$path holds no credential', ({ text }) => {
    expect(text).not.toMatch(/AccountKey=|SharedAccessSignature|InstrumentationKey|-----BEGIN|[?&]sig=/i);
  });

  // Parameters and outputs of a deployment are kept and shown in the portal.
  test.each(files)('$path takes and gives no secret', ({ params, outputs }) => {
    const telling = [...params, ...outputs]
      .map(({ name }) => name)
      .filter((name) => /secret|password|token$|key$/i.test(name));
    expect(telling).toEqual([]);
  });
});

describe('the optional network', () => {
  const network = readBicep('infra/app/network.bicep');

  test('is off unless asked for', () => {
    const main = readBicep('infra/main.bicep');
    expect(main.params.find(({ name }) => name === 'vnetEnabled')?.value).toBe(false);
    expect(main.modules.find(({ name }) => name === 'network')?.node.text).toContain('if (vnetEnabled)');
  });

  test('gives the app the only delegation that Flex Consumption takes', () => {
    expect(network.text.match(/serviceName: '(.*)'/)?.[1]).toBe('Microsoft.App/environments');
  });

  test('has a private endpoint for everything that it closes', () => {
    const endpoints = network.variables.find(({ name }) => name === 'endpoints')?.value;
    const names = Array.isArray(endpoints) ? endpoints.map((endpoint) => at(endpoint, 'name')) : [];
    expect(names).toEqual(['host-blob', 'host-queue', 'host-table', 'data-blob', 'data-queue', 'data-table', 'vault']);
  });

  test('resolves each endpoint in the zone of its kind', () => {
    const groups = network.variables.find(({ name }) => name === 'groups')?.value;
    const endpoints = network.variables.find(({ name }) => name === 'endpoints')?.value;
    if (!Array.isArray(groups) || !Array.isArray(endpoints)) throw new Error('lists expected');
    for (const endpoint of endpoints) expect(groups[Number(at(endpoint, 'zone'))]).toBe(at(endpoint, 'group'));
  });
});
