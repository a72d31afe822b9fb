import { describe, expect, test } from 'vitest';
import { DATA_STORAGE } from '../../shared/kernel/storage-names.ts';
import { readConfig, settingNames } from '../../shared/wiring/config.ts';
import { at, Expression, keysOf, readBicep } from './bicep.ts';

const api = readBicep('infra/app/api.bicep');
const ownSettings = api.variables.find(({ name }) => name === 'ownSettings')?.value;
const deployed = keysOf(ownSettings);

/** Settings that the Functions host or the platform reads, not the app. */
const platformSettings = [
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  `${DATA_STORAGE}__credential`,
  `${DATA_STORAGE}__clientId`,
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** Flex Consumption refuses a deployment with one of these. */
const refusedByFlex =
  /^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|WEBSITE_TIME_ZONE|WEBSITE_NODE_DEFAULT_VERSION|SCM_DO_BUILD.*|ENABLE_ORYX_BUILD|AzureWebJobsStorage|AzureWebJobsDashboard)$/;

/** Values of the expressions once deployed, and settings that Azure adds. */
const inAzure: Record<string, string> = {
  DataStorage__blobServiceUri: 'https://stdata.blob.core.windows.net/',
  DataStorage__queueServiceUri: 'https://stdata.queue.core.windows.net/',
  DataStorage__tableServiceUri: 'https://stdata.table.core.windows.net/',
  KEY_VAULT_URL: 'https://kv.vault.azure.net/',
  AZURE_CLIENT_ID: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  OPERATOR_KEY: 'k'.repeat(43),
  SWEEP_SCHEDULE: '0 * * * * *',
  EXPIRY_SCHEDULE: '0 0 6 * * *',
  RETENTION_SCHEDULE: '0 */5 * * * *',
  UPLOADS_KEPT: 'P30D',
  PUBLIC_URL: 'https://func.azurewebsites.net',
  WEBSITE_HOSTNAME: 'func.azurewebsites.net',
  WEBSITE_SKU: 'FlexConsumption',
};
const asDeployed = Object.fromEntries(deployed.map((name) => [name, inAzure[name] ?? 'set']));

test('the app or the platform reads every deployed setting', () => {
  expect(deployed.filter((name) => ![...settingNames, ...platformSettings].includes(name))).toEqual([]);
});

test('no deployed setting is one that Flex Consumption refuses', () => {
  expect(deployed.filter((name) => refusedByFlex.test(name))).toEqual([]);
});

test('the app starts with the deployed settings', () => {
  const config = readConfig({
    ...asDeployed,
    WEBSITE_HOSTNAME: inAzure.WEBSITE_HOSTNAME,
    WEBSITE_SKU: inAzure.WEBSITE_SKU,
  });
  expect(config.storage.kind).toBe('identity');
  expect(config.identity).toEqual({ kind: 'managed', clientId: inAzure.AZURE_CLIENT_ID });
  expect(config.publicUrl).toBe('https://func.azurewebsites.net');
  expect(config.simulator).toBeUndefined();
});

/** They have a default in the app as well. */
const hasDefault = (name: string) => name.endsWith('_SCHEDULE') || ['UPLOADS_KEPT', 'PUBLIC_URL'].includes(name);

test.each(deployed.filter((name) => settingNames.some((known) => known === name) && !hasDefault(name)))(
  'the app does not start without %s',
  (name) => {
    const without = { ...asDeployed, WEBSITE_HOSTNAME: 'x', [name]: undefined };
    expect(() => readConfig(without)).toThrow(name.split('__')[0]);
  },
);

test('the schedules of the timers are deployed, because the host does not know the app’s defaults', () => {
  expect(deployed).toEqual(expect.arrayContaining(['SWEEP_SCHEDULE', 'EXPIRY_SCHEDULE', 'RETENTION_SCHEDULE']));
  const main = readBicep('infra/main.bicep');
  const defaults = readConfig({
    ...asDeployed,
    SWEEP_SCHEDULE: '',
    EXPIRY_SCHEDULE: '',
    RETENTION_SCHEDULE: '',
    WEBSITE_HOSTNAME: 'x',
  }).settings;
  expect(main.params.find(({ name }) => name === 'sweepSchedule')?.value).toBe(defaults.SWEEP_SCHEDULE);
  expect(main.params.find(({ name }) => name === 'expirySchedule')?.value).toBe(defaults.EXPIRY_SCHEDULE);
  expect(main.params.find(({ name }) => name === 'retentionSchedule')?.value).toBe(defaults.RETENTION_SCHEDULE);
});

test('the app and the rule of the storage account delete uploads after the same time', () => {
  const main = readBicep('infra/main.bicep');
  const days = main.params.find(({ name }) => name === 'uploadsKeptDays')?.value;
  expect(at(ownSettings, 'UPLOADS_KEPT')).toBe(`P\${uploadsKeptDays}D`);
  const read = (UPLOADS_KEPT: string) =>
    readConfig({ ...asDeployed, WEBSITE_HOSTNAME: 'x', UPLOADS_KEPT }).settings.UPLOADS_KEPT;
  expect(read(`P${days}D`)).toBe(read(''));
  for (const name of ['storage', 'api']) {
    const module = main.modules.find((one) => one.name === name);
    expect(at(module?.value, 'params', 'uploadsKeptDays'), name).toEqual(new Expression('uploadsKeptDays'));
  }
  const lifecycle = readBicep('infra/app/storage.bicep').resources.find(({ name }) => name === 'lifecycle');
  expect(JSON.stringify(lifecycle?.value)).toContain('"daysAfterModificationGreaterThan":{"source":"uploadsKeptDays"}');
});

describe('the operator key', () => {
  const reference = at(ownSettings, 'OPERATOR_KEY');

  test('is a reference to the vault, never a value', () => {
    expect(reference).toMatch(/^@Microsoft\.KeyVault\(SecretUri=\$\{operatorVaultUrl\}secrets\/[a-z-]+\)$/);
  });

  test('is read with the identity that has the right to', () => {
    const app = api.resources.find(({ name }) => name === 'app');
    expect(at(app?.value, 'properties', 'keyVaultReferenceIdentity')).toEqual(new Expression('identityId'));
  });

  // Otherwise the text of the reference, which is public, would be the operator key until the vault answers.
  test('is refused if it is a reference that the platform did not resolve', () => {
    const OPERATOR_KEY = String(reference).replace(`\${operatorVaultUrl}`, 'https://kv.vault.azure.net/');
    expect(() => readConfig({ ...asDeployed, WEBSITE_HOSTNAME: 'x', OPERATOR_KEY })).toThrow(
      /OPERATOR_KEY.*not resolved/,
    );
  });
});

describe('the mail server', () => {
  const emailSettings = api.variables.find(({ name }) => name === 'emailSettings')?.node.text ?? '';
  const start = (values: Record<string, string>) => readConfig({ ...asDeployed, WEBSITE_HOSTNAME: 'x', ...values });
  const both = { SMTP_URL: 'smtps://user:p%40ss@smtp.contoso.com:465', EMAIL_FROM: 'Muster <alerts@contoso.com>' };

  test('is a reference to the vault, never a value, and comes with its sender', () => {
    expect(emailSettings).toMatch(
      /SMTP_URL: '@Microsoft\.KeyVault\(SecretUri=\$\{operatorVaultUrl\}secrets\/smtp-url\)'/,
    );
    expect(emailSettings).toContain('EMAIL_FROM: emailFrom');
    expect(start(both).settings.EMAIL_FROM).toBe(both.EMAIL_FROM);
    expect(start({ ...both, EMAIL_FROM: 'alerts@contoso.com' }).settings.SMTP_URL?.reveal()).toBe(both.SMTP_URL);
  });

  test.each([
    ['a mail server without a sender', { SMTP_URL: both.SMTP_URL }, /EMAIL_FROM: required together with SMTP_URL/],
    ['a sender without a mail server', { EMAIL_FROM: both.EMAIL_FROM }, /SMTP_URL: required together with EMAIL_FROM/],
    ['a sender that is no address', { ...both, EMAIL_FROM: 'Muster' }, /EMAIL_FROM: must be an e-mail address/],
    ['a sender that is not closed', { ...both, EMAIL_FROM: 'Muster <a@b.example' }, /EMAIL_FROM: must be an e-mail/],
    ['a sender on two lines', { ...both, EMAIL_FROM: 'M\nBcc: x <a@b.example>' }, /EMAIL_FROM: must be an e-mail/],
    [
      'a server that is no URL',
      { ...both, SMTP_URL: 'smtp.contoso.com' },
      /SMTP_URL: must be the URL of a mail server/,
    ],
    ['a server without a host', { ...both, SMTP_URL: 'smtps://' }, /SMTP_URL: must be the URL of a mail server/],
    ['a web server', { ...both, SMTP_URL: 'https://contoso.com' }, /SMTP_URL: must be the URL of a mail server/],
    ['a password with a bare %', { ...both, SMTP_URL: 'smtps://u:p%@h.example' }, /SMTP_URL: .*percent-encoded/],
    ['an unresolved reference', { ...both, SMTP_URL: '@Microsoft.KeyVault(SecretUri=https://kv/x)' }, /not resolved/],
  ])('%s: the app says so and does not start', (_, values, message) => {
    expect(() => start(values)).toThrow(message);
  });

  test('its faults are named together with all others, once each, and never show the password', () => {
    const wrong = { SMTP_URL: 'smtps://user:hunter2@', OPERATOR_KEY: 'short', SWEEP_SCHEDULE: '' };
    const said = messageOf(() => start(wrong));
    expect(said.match(/SMTP_URL: must/g)).toHaveLength(1);
    expect(said.match(/EMAIL_FROM: required/g)).toHaveLength(1);
    expect(said).toContain('OPERATOR_KEY');
    expect(said).not.toContain('hunter2');
  });
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  throw new Error('did not throw');
}

test('a simulated Microsoft 365 is refused on Flex Consumption, which sets no WEBSITE_INSTANCE_ID', () => {
  const simulator = { SIMULATOR_LOGIN_URL: 'https://127.0.0.1:1', SIMULATOR_GRAPH_URL: 'https://127.0.0.1:2' };
  const { WEBSITE_SKU, WEBSITE_HOSTNAME } = inAzure;
  expect(() => readConfig({ ...asDeployed, ...simulator, WEBSITE_HOSTNAME, WEBSITE_SKU })).toThrow(
    /must not be used in Azure/,
  );
});

test('deployed settings override further settings', () => {
  const settings = api.resources.find(({ name }) => name === 'settings');
  expect(at(settings?.value, 'properties')).toEqual(
    new Expression('union(furtherSettings, emailSettings, ownSettings)'),
  );
  expect(keysOf(settings?.value)).toEqual(['parent', 'name', 'properties']);
});
