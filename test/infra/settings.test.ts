import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Config, readConfig, SettingsError, settingNames } from '../../shared/wiring/config.ts';

const example: { IsEncrypted: boolean; Values: Record<string, string> } = JSON.parse(
  readFileSync('local.settings.example.json', 'utf8'),
);
const documentation = readFileSync('docs/settings.md', 'utf8');
const settingsOfApp = documentation.slice(0, documentation.indexOf('## Settings of the platform'));
const rows = [...settingsOfApp.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \|$/gm)].map(
  ([, name = '', fallback = '', rest = '']) => ({
    name,
    fallback: fallback.match(/^`([^`]*)`$/)?.[1],
    rest,
  }),
);

describe('local.settings.example.json', () => {
  test('has everything that the app needs to start on one machine', () => {
    const config = readConfig(example.Values);
    expect(config.storage.kind).toBe('connectionString');
    expect(config.identity.kind).toBe('clientSecret');
    expect(config.simulator?.imap).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  });

  test('has only settings that the app or the platform reads', () => {
    const platform = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage', 'NODE_EXTRA_CA_CERTS'];
    const known: string[] = [...settingNames, ...platform];
    expect(Object.keys(example.Values).filter((name) => !known.includes(name))).toEqual([]);
    for (const name of platform) expect(documentation).toContain(`\`${name}\``);
  });

  test('names only addresses on this machine, and is not encrypted', () => {
    for (const [name, value] of Object.entries(example.Values)) {
      if (/^https?:|:\d+$/.test(value)) expect(value, name).toMatch(/^(https?:\/\/)?127\.0\.0\.1:/);
    }
    expect(example.IsEncrypted).toBe(false);
  });

  test('has another name than local.settings.json, which git ignores', () => {
    expect(readFileSync('.gitignore', 'utf8').split('\n')).toContain('local.settings.json');
  });
});

describe('docs/settings.md', () => {
  test('explains every setting once, and no other', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...settingNames].sort());
  });

  const withDefault = rows.filter((row): row is typeof row & { fallback: string } => row.fallback !== undefined);

  test.each(withDefault)('states the true default of $name: $fallback', ({ name, fallback }) => {
    const read = (values: Record<string, string>): Config['settings'] =>
      readConfig({ ...example.Values, ...values }).settings;
    const key = settingNames.find((known) => known === name);
    if (!key) throw new Error(`${name} is no setting`);
    expect(read({ [name]: fallback })[key]).toEqual(read({ [name]: '' })[key]);
  });

  test('states the default of every setting that has one', () => {
    const { settings } = readConfig({ ...example.Values });
    const optional = settingNames.filter((name) => settings[name] !== undefined && !(name in example.Values));
    expect(optional.filter((name) => !withDefault.some((row) => row.name === name))).toEqual([]);
  });

  test('states the unit of every number and duration', () => {
    for (const { name, fallback, rest } of withDefault) {
      if (/^(P|\d+$)/.test(fallback))
        expect(rest, name).toMatch(
          /^(bytes|rows|characters|downloads|streams|durations?|checks|mailboxes|results|messages|days|requests|connections|keys|webhooks|attempts|deliveries|imports) \| /,
        );
    }
  });
});

describe('the refusal of wrong settings', () => {
  test('names every wrong setting, and contains no value', () => {
    const wrong = Object.fromEntries(settingNames.map((name) => [name, `value-of-${name}`]));
    const inAzure = { ...example.Values, WEBSITE_SKU: 'FlexConsumption', PUBLIC_URL: 'http://value-of-url' };
    for (const values of [wrong, { ...wrong, OPERATOR_KEY: '@Microsoft.KeyVault(value-of-reference)' }, inAzure]) {
      const refusal = refusalOf(values);
      expect(refusal).toContain('Muster cannot start. Fix these settings:');
      expect(refusal).not.toContain('value-of');
      for (const value of Object.values(example.Values)) if (value.length > 5) expect(refusal).not.toContain(value);
    }
    expect(refusalOf(wrong)).toContain('KEY_VAULT_URL: must be a URL');
  });

  function refusalOf(values: Record<string, string>): string {
    try {
      readConfig(values);
    } catch (error) {
      if (error instanceof SettingsError) return error.message;
    }
    throw new Error('no SettingsError');
  }
});
