import { describe, expect, test } from 'vitest';
import { bicepPaths, descendants, readBicep } from './bicep.ts';
import { deployed } from './paper/deployed.ts';

const files = bicepPaths.map(readBicep);

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

test.each([
  ['clientSecret', 'VENDOR_APP_CLIENT_SECRET'],
  ['certificate', 'VENDOR_APP_CERTIFICATE'],
])(
  'every secret among the settings is a reference to the vault of the deployment (%s)',
  (vendorAppCredential, ofVendorApp) => {
    const vendorApp = { vendorAppClientId: '44444444-4444-4444-8444-444444444444', vendorAppCredential };
    const settings = deployed({ emailFrom: 'a@b.example', ...vendorApp }).resources.find(
      ({ name }) => name === 'appsettings',
    );
    const values = Object.entries(settings?.body.properties as Record<string, string>);
    const secrets = values.filter(([name]) => /KEY$|SECRET|PASSWORD|SMTP_URL|CERTIFICATE/.test(name));
    expect(secrets.map(([name]) => name)).toEqual(['SMTP_URL', ofVendorApp, 'OPERATOR_KEY']);
    for (const [name, value] of secrets) {
      expect(value, name).toMatch(
        /^@Microsoft\.KeyVault\(SecretUri=https:\/\/kv-op-\w+\.vault\.azure\.net\/secrets\/[a-z-]+\)$/,
      );
    }
  },
);
