import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfig } from '../../shared/wiring/config.ts';
import { SAMPLE_OPERATOR_KEY } from '../../shared/wiring/local-settings.ts';

/** What every deployment gives, without what shows that this is Azure. */
const deployed = {
  DataStorage__blobServiceUri: 'https://stdata.blob.core.windows.net/',
  DataStorage__queueServiceUri: 'https://stdata.queue.core.windows.net/',
  DataStorage__tableServiceUri: 'https://stdata.table.core.windows.net/',
  KEY_VAULT_URL: 'https://kv.vault.azure.net/',
  AZURE_CLIENT_ID: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  OPERATOR_KEY: 'k'.repeat(43),
  WEBSITE_HOSTNAME: 'func.azurewebsites.net',
};
const account = 'AccountName=stdata;AccountKey=a2V5';

/** Made for a developer's machine. */
const local = [
  ['the sample operator key', 'OPERATOR_KEY', SAMPLE_OPERATOR_KEY],
  ['the sample key as the previous one', 'OPERATOR_KEY_PREVIOUS', SAMPLE_OPERATOR_KEY],
  ['links without TLS', 'PUBLIC_URL', 'http://muster.example'],
  ['blobs without TLS', 'DataStorage__blobServiceUri', 'http://stdata.blob.core.windows.net/'],
  ['queues without TLS', 'DataStorage__queueServiceUri', 'http://stdata.queue.core.windows.net/'],
  ['tables without TLS', 'DataStorage__tableServiceUri', 'http://stdata.table.core.windows.net/'],
  ['tables of the emulator', 'DataStorage__tableServiceUri', 'https://127.0.0.1:10002/devstoreaccount1'],
  ['a vault that names no domain of its own', 'KEY_VAULT_VERIFY_RESOURCE', 'false'],
  ['development storage', 'DataStorage', 'UseDevelopmentStorage=true'],
  ['development storage, spelled otherwise', 'DataStorage', 'usedevelopmentstorage = True;'],
  [
    'the account of the emulator',
    'DataStorage',
    'DefaultEndpointsProtocol=https;AccountName=devstoreaccount1;AccountKey=a2V5',
  ],
  [
    'the public key of the emulator',
    'DataStorage',
    'AccountName=x;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  ],
  ['a storage protocol without TLS', 'DataStorage', `DefaultEndpointsProtocol=http;${account}`],
  ['a storage address without TLS', 'DataStorage', `${account};BlobEndpoint=http://stdata.blob.core.windows.net/`],
] as const;

test.each(local)('in Azure the app refuses %s (%s)', (_, name, value) => {
  const settings = { ...deployed, [name]: value };
  expect(() => readConfig(settings)).not.toThrow();
  for (const azure of [{ WEBSITE_SKU: 'FlexConsumption' }, { WEBSITE_INSTANCE_ID: '0123' }]) {
    expect(() => readConfig({ ...settings, ...azure })).toThrow(name);
  }
});

test('in Azure all of them are named at once', () => {
  const settings = { ...deployed, PUBLIC_URL: 'http://x.example', KEY_VAULT_VERIFY_RESOURCE: 'false' };
  expect(() => readConfig({ ...settings, OPERATOR_KEY: SAMPLE_OPERATOR_KEY, WEBSITE_SKU: 'x' })).toThrow(
    /OPERATOR_KEY.*PUBLIC_URL.*KEY_VAULT_VERIFY_RESOURCE/s,
  );
});

test('a vault without TLS is refused everywhere', () => {
  expect(() => readConfig({ ...deployed, KEY_VAULT_URL: 'http://kv.vault.azure.net/' })).toThrow('KEY_VAULT_URL');
});

test('the refusal never quotes a secret', () => {
  const refuse = () =>
    readConfig({ ...deployed, WEBSITE_SKU: 'x', DataStorage: `DefaultEndpointsProtocol=http;${account}` });
  expect(refuse).toThrow('DataStorage');
  expect(refuse).not.toThrow('a2V5');
});

test('the sample key is the one of local.settings.example.json', () => {
  const { Values } = JSON.parse(readFileSync('local.settings.example.json', 'utf8'));
  expect(Values.OPERATOR_KEY).toBe(SAMPLE_OPERATOR_KEY);
});
