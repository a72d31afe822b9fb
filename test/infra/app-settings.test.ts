import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { readConfig, settingNames } from '../../shared/wiring/config.ts';
import { allOf, appSettings, brief, deployed, oneOf } from './paper/deployed.ts';

const deployment = deployed();
const settings = appSettings(deployment);
const CLIENT_ID = '33333333-3333-4333-8333-333333333333';
const VENDOR_APP = '44444444-4444-4444-8444-444444444444';
const inOperatorVault = (name: string) =>
  `@Microsoft.KeyVault(SecretUri=https://kv-op-*.vault.azure.net/secrets/${name})`;

/** What Azure adds, and the secrets that it puts in the place of references. */
const inAzure = { WEBSITE_HOSTNAME: 'func.azurewebsites.net', WEBSITE_SKU: 'FlexConsumption' };
const ofOperator = { OPERATOR_KEY: 'k'.repeat(43) };
const asDeployed: Record<string, string> = { ...settings, ...inAzure, ...ofOperator };

test('the app gets exactly these settings', () => {
  expect(brief(deployment, settings)).toEqual({
    AzureWebJobsStorage__credential: 'managedidentity',
    AzureWebJobsStorage__clientId: CLIENT_ID,
    AzureWebJobsStorage__blobServiceUri: 'https://sthost*.blob.core.windows.net/',
    AzureWebJobsStorage__queueServiceUri: 'https://sthost*.queue.core.windows.net/',
    AzureWebJobsStorage__tableServiceUri: 'https://sthost*.table.core.windows.net/',
    DataStorage__credential: 'managedidentity',
    DataStorage__clientId: CLIENT_ID,
    DataStorage__blobServiceUri: 'https://stdata*.blob.core.windows.net/',
    DataStorage__queueServiceUri: 'https://stdata*.queue.core.windows.net/',
    DataStorage__tableServiceUri: 'https://stdata*.table.core.windows.net/',
    KEY_VAULT_URL: 'https://kv-*.vault.azure.net/',
    AZURE_CLIENT_ID: CLIENT_ID,
    OPERATOR_KEY: '@Microsoft.KeyVault(SecretUri=https://kv-op-*.vault.azure.net/secrets/operator-key)',
    PUBLIC_URL: 'https://func-*.azurewebsites.net',
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'connection string of appi-*',
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${CLIENT_ID};Authorization=AAD`,
    SWEEP_SCHEDULE: '0 * * * * *',
    EXPIRY_SCHEDULE: '0 0 6 * * *',
    RETENTION_SCHEDULE: '0 */5 * * * *',
    UPLOADS_KEPT: 'P30D',
  });
});

test.each([
  ['publicUrl', 'https://muster.example.com', { PUBLIC_URL: 'https://muster.example.com' }],
  ['uploadsKeptDays', 7, { UPLOADS_KEPT: 'P7D' }],
  ['sweepSchedule', '0 */2 * * * *', { SWEEP_SCHEDULE: '0 */2 * * * *' }],
  ['expirySchedule', '0 0 7 * * *', { EXPIRY_SCHEDULE: '0 0 7 * * *' }],
  ['retentionSchedule', '0 10 * * * *', { RETENTION_SCHEDULE: '0 10 * * * *' }],
  ['furtherSettings', { CHECKS_AT_ONCE: '12' }, { CHECKS_AT_ONCE: '12' }],
  [
    'emailFrom',
    'Muster <alerts@contoso.com>',
    {
      EMAIL_FROM: 'Muster <alerts@contoso.com>',
      SMTP_URL: inOperatorVault('smtp-url'),
    },
  ],
  ['vendorAppClientId', VENDOR_APP, { VENDOR_APP_CLIENT_ID: VENDOR_APP, VENDOR_APP_CLOUD: 'global' }],
  // Without an app there is nothing that these could change.
  ['vendorAppCloud', 'usgov', {}],
  ['vendorAppCredential', 'clientSecret', {}],
])('the parameter %s = %o changes these settings and no other', (name, value, changed) => {
  const other = deployed({ [name]: value });
  expect(brief(other, appSettings(other))).toEqual({ ...brief(deployment, settings), ...changed });
});

test.each([
  ['managedIdentity', {}],
  ['clientSecret', { VENDOR_APP_CLIENT_SECRET: inOperatorVault('vendor-app-client-secret') }],
  ['certificate', { VENDOR_APP_CERTIFICATE: inOperatorVault('vendor-app-certificate') }],
])(
  'the vendor’s app gets its credential (%s) from the operator vault, or is trusted as the identity',
  (kind, credential) => {
    const chosen = { vendorAppClientId: VENDOR_APP, vendorAppCloud: 'china', vendorAppCredential: kind };
    const other = deployed({ ...chosen, furtherSettings: { VENDOR_APP_CLOUD: 'wrong' } });
    const vendorApp = { VENDOR_APP_CLIENT_ID: VENDOR_APP, VENDOR_APP_CLOUD: 'china', ...credential };
    expect(brief(other, appSettings(other))).toEqual({ ...brief(deployment, settings), ...vendorApp });
  },
);

test('further settings cannot replace what the deployment must set', () => {
  const wrong = Object.fromEntries(Object.keys(settings).map((name) => [name, 'wrong']));
  expect(appSettings(deployed({ furtherSettings: wrong }))).toEqual(settings);
});

test('the app or the platform reads every deployed setting', () => {
  const ofPlatform = /^(AzureWebJobsStorage__|DataStorage__(credential|clientId)$|APPLICATIONINSIGHTS_)/;
  const known: string[] = [...settingNames];
  expect(Object.keys(settings).filter((name) => !known.includes(name) && !ofPlatform.test(name))).toEqual([]);
});

/** Flex Consumption refuses a deployment with one of these. */
const refusedByFlex =
  /^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|WEBSITE_TIME_ZONE|WEBSITE_NODE_DEFAULT_VERSION|SCM_DO_BUILD.*|ENABLE_ORYX_BUILD|AzureWebJobsStorage|AzureWebJobsDashboard)$/;

test('no deployed setting is one that Flex Consumption refuses', () => {
  expect(Object.keys(settings).filter((name) => refusedByFlex.test(name))).toEqual([]);
});

test('the app starts with the deployed settings', () => {
  const config = readConfig(asDeployed);
  expect(config.storage.kind).toBe('identity');
  expect(config.identity).toEqual({ kind: 'managed', clientId: CLIENT_ID });
  expect(config.publicUrl).toBe(settings.PUBLIC_URL);
  expect(config.simulator).toBeUndefined();
});

/** They have a default in the app as well, or the app runs without telemetry. */
const hasDefault = (name: string) => /_SCHEDULE$|^UPLOADS_KEPT$|^PUBLIC_URL$|^APPLICATIONINSIGHTS_/.test(name);
const required = Object.keys(settings).filter(
  (name) => settingNames.some((known) => known === name) && !hasDefault(name),
);

test.each(required)('the app does not start without %s', (name) => {
  expect(() => readConfig({ ...asDeployed, [name]: undefined })).toThrow(name.split('__')[0]);
});

test('the defaults of the deployment are those of the app', () => {
  const names = ['SWEEP_SCHEDULE', 'EXPIRY_SCHEDULE', 'RETENTION_SCHEDULE', 'UPLOADS_KEPT'] as const;
  const blank = Object.fromEntries(names.map((name) => [name, '']));
  const [inApp, deployedOnes] = [readConfig({ ...asDeployed, ...blank }), readConfig(asDeployed)];
  for (const name of names) expect(deployedOnes.settings[name], name).toEqual(inApp.settings[name]);
});

test('the app and the rule of the storage account delete uploads after the same time', () => {
  const other = deployed({ uploadsKeptDays: 12 });
  const rules = JSON.stringify(oneOf(other, 'Microsoft.Storage/storageAccounts/managementPolicies').body);
  expect(rules).toContain('"daysAfterModificationGreaterThan":12');
  expect(appSettings(other).UPLOADS_KEPT).toBe('P12D');
});

test('references to the vault are read with the identity that has the right to', () => {
  const app = oneOf(deployment, 'Microsoft.Web/sites').body.properties;
  const [identity] = allOf(deployment, 'Microsoft.ManagedIdentity/userAssignedIdentities');
  expect(app).toMatchObject({ keyVaultReferenceIdentity: identity?.id });
});

// Otherwise the text of the reference, which is public, would be the operator key until the vault answers.
test('the app refuses an operator key that is a reference which the platform did not resolve', () => {
  expect(() => readConfig({ ...asDeployed, OPERATOR_KEY: settings.OPERATOR_KEY })).toThrow(
    /OPERATOR_KEY.*not resolved/,
  );
});

describe('the vendor’s app', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'app' }], { algorithm: 'sha256' });
  const settingsWith = (vendorAppCredential: string) =>
    appSettings(deployed({ vendorAppClientId: VENDOR_APP, vendorAppCredential }));

  test.each([
    ['managedIdentity', {}, 'federated'],
    ['clientSecret', { VENDOR_APP_CLIENT_SECRET: 'value' }, 'clientSecret'],
    ['certificate', { VENDOR_APP_CERTIFICATE: `${key}\n${cert}` }, 'certificate'],
  ])('starts with the deployed settings and what the vault has (%s)', (credential, ofVault, kind) => {
    const { vendorApp } = readConfig({ ...asDeployed, ...settingsWith(credential), ...ofOperator, ...ofVault });
    expect(vendorApp).toMatchObject({ clientId: VENDOR_APP, cloud: 'global', credential: { kind } });
  });

  test.each([
    ['clientSecret', /VENDOR_APP_CLIENT_SECRET: .*not resolved/],
    ['certificate', /VENDOR_APP_CERTIFICATE: .*not resolved/],
  ])('does not start with a reference that the platform did not resolve (%s)', (credential, message) => {
    expect(() => readConfig({ ...asDeployed, ...settingsWith(credential), ...ofOperator })).toThrow(message);
  });

  test('has only settings that the app reads', () => {
    const known: string[] = [...settingNames];
    const ofVendorApp = ['managedIdentity', 'clientSecret', 'certificate'].flatMap((credential) =>
      Object.keys(settingsWith(credential)).filter((name) => name.startsWith('VENDOR_APP_')),
    );
    expect(ofVendorApp).toHaveLength(8);
    expect(ofVendorApp.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('the mail server', () => {
  const start = (values: Record<string, string>) => readConfig({ ...asDeployed, ...values });
  const both = { SMTP_URL: 'smtps://user:p%40ss@smtp.contoso.com:465', EMAIL_FROM: 'Muster <alerts@contoso.com>' };

  test('comes with its sender, with or without a name', () => {
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
  expect(() => readConfig({ ...asDeployed, ...simulator })).toThrow(/must not be used in Azure/);
});
