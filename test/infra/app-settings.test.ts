import { describe, expect, test } from 'vitest';
import { DATA_STORAGE } from '../../shared/kernel/storage-names.ts';
import { readConfig, settingNames } from '../../shared/wiring/config.ts';
import { at, Expression, keysOf, readBicep } from './bicep.ts';

const api = readBicep('infra/app/api.bicep');
const own = api.variables.find(({ name }) => name === 'ownSettings')?.value;
const given = keysOf(own);

/** Read by the Functions host or the platform, not by our code. */
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

/** Flex Consumption fails a deployment that has one of these. */
const refusedByFlex =
  /^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|WEBSITE_TIME_ZONE|WEBSITE_NODE_DEFAULT_VERSION|SCM_DO_BUILD.*|ENABLE_ORYX_BUILD|AzureWebJobsStorage|AzureWebJobsDashboard)$/;

/** What Azure would put in the place of the expressions, and what it sets by itself. */
const inAzure: Record<string, string> = {
  DataStorage__blobServiceUri: 'https://stdata.blob.core.windows.net/',
  DataStorage__queueServiceUri: 'https://stdata.queue.core.windows.net/',
  DataStorage__tableServiceUri: 'https://stdata.table.core.windows.net/',
  KEY_VAULT_URL: 'https://kv.vault.azure.net/',
  AZURE_CLIENT_ID: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  OPERATOR_KEY: 'k'.repeat(43),
  SWEEP_SCHEDULE: '0 * * * * *',
  EXPIRY_SCHEDULE: '0 0 6 * * *',
  WEBSITE_HOSTNAME: 'func.azurewebsites.net',
  WEBSITE_SKU: 'FlexConsumption',
};
const asDeployed = Object.fromEntries(given.map((name) => [name, inAzure[name] ?? 'set']));

test('every setting that is deployed is read by the code or by the platform', () => {
  expect(given.filter((name) => ![...settingNames, ...platformSettings].includes(name))).toEqual([]);
});

test('no setting that Flex Consumption refuses', () => {
  expect(given.filter((name) => refusedByFlex.test(name))).toEqual([]);
});

test('the app starts on what is deployed: nothing without a default is missing', () => {
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

test.each(given.filter((name) => settingNames.some((known) => known === name) && !name.endsWith('_SCHEDULE')))(
  'the app refuses to start without %s, which nothing but the deployment gives',
  (name) => {
    const without = { ...asDeployed, WEBSITE_HOSTNAME: 'x', [name]: undefined };
    expect(() => readConfig(without)).toThrow(name.split('__')[0]);
  },
);

test('the schedules of the timers are app settings: the host knows no defaults of ours', () => {
  expect(given).toEqual(expect.arrayContaining(['SWEEP_SCHEDULE', 'EXPIRY_SCHEDULE']));
  const main = readBicep('infra/main.bicep');
  const defaults = readConfig({
    ...asDeployed,
    SWEEP_SCHEDULE: '',
    EXPIRY_SCHEDULE: '',
    WEBSITE_HOSTNAME: 'x',
  }).settings;
  expect(main.params.find(({ name }) => name === 'sweepSchedule')?.value).toBe(defaults.SWEEP_SCHEDULE);
  expect(main.params.find(({ name }) => name === 'expirySchedule')?.value).toBe(defaults.EXPIRY_SCHEDULE);
});

describe('the operator key', () => {
  const reference = at(own, 'OPERATOR_KEY');

  test('is a reference to the vault, never a value', () => {
    expect(reference).toMatch(/^@Microsoft\.KeyVault\(SecretUri=\$\{vaultUrl\}secrets\/[a-z-]+\)$/);
  });

  test('is looked up as the identity that may read it', () => {
    const app = api.resources.find(({ name }) => name === 'app');
    expect(at(app?.value, 'properties', 'keyVaultReferenceIdentity')).toEqual(new Expression('identityId'));
  });

  // Otherwise the text of the reference, which is in this repository, would open the whole API until the vault answers.
  test('is not the text of a reference that the platform could not resolve', () => {
    const OPERATOR_KEY = String(reference).replace(`\${vaultUrl}`, 'https://kv.vault.azure.net/');
    expect(() => readConfig({ ...asDeployed, WEBSITE_HOSTNAME: 'x', OPERATOR_KEY })).toThrow(
      /OPERATOR_KEY.*not resolved/,
    );
  });
});

test('a simulated Microsoft 365 is refused on Flex Consumption, which sets no WEBSITE_INSTANCE_ID', () => {
  const simulator = { SIMULATOR_LOGIN_URL: 'https://127.0.0.1:1', SIMULATOR_GRAPH_URL: 'https://127.0.0.1:2' };
  const { WEBSITE_SKU, WEBSITE_HOSTNAME } = inAzure;
  expect(() => readConfig({ ...asDeployed, ...simulator, WEBSITE_HOSTNAME, WEBSITE_SKU })).toThrow(/must not be used in Azure/);
});

test('what the deployment sets wins over further settings', () => {
  const settings = api.resources.find(({ name }) => name === 'settings');
  expect(at(settings?.value, 'properties')).toEqual(
    new Expression('union(furtherSettings, publicUrlSettings, ownSettings)'),
  );
  expect(keysOf(settings?.value)).toEqual(['parent', 'name', 'properties']);
});
