import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { realClouds } from '../../shared/adapters/entra/clouds.ts';
import { CALLBACK_PATH } from '../../shared/connections/consent/consent.ts';
import { SIGN_IN_PATH } from '../../shared/connections/consent/sign-in.ts';
import { deployed, oneOf } from './paper/deployed.ts';

const main = readFileSync('infra/main.bicep', 'utf8');
const api = readFileSync('infra/app/api.bicep', 'utf8');
const hook = readFileSync('infra/hooks/check-vendor-app.ts', 'utf8');
const page = readFileSync('docs/vendor-app.md', 'utf8');

/** The texts that a parameter of `main.bicep` may have. */
function allowedOf(parameter: string): string[] {
  const [, list = ''] =
    new RegExp(`@allowed\\(\\[([^\\]]*)\\]\\)\\n@description\\('[^\\n]*\\nparam ${parameter} `).exec(main) ?? [];
  return [...list.matchAll(/'(\w+)'/g)].map(([, text = '']) => text);
}
const all = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))];

test('an app of the vendor can be in every cloud of Microsoft’s', () => {
  expect(allowedOf('vendorAppCloud')).toEqual(realClouds);
});

test('a federated credential gets the object id of the identity that the app runs as, not its client id', () => {
  const deployment = deployed();
  const { userAssignedIdentities } = Object(oneOf(deployment, 'Microsoft.Web/sites').body.identity);
  const [id = ''] = Object.keys(userAssignedIdentities);
  expect(deployment.outputs.APP_PRINCIPAL_ID).toBe(`principal of ${id.split('/').at(-1)}`);
});

describe('docs/vendor-app.md', () => {
  test('stores each credential under the name that the app and the check after a deployment look for', () => {
    const stored = all(page, /--name (vendor-[\w-]+)/g).sort();
    expect(stored).toEqual(all(api, /\}secrets\/(vendor-[\w-]+)\)/g).sort());
    expect(stored).toEqual(all(hook, /: '(vendor-[\w-]+)'/g).sort());
  });

  test('names the kinds of credentials that there are', () => {
    const kinds = allowedOf('vendorAppCredential');
    expect(kinds.length).toBe(3);
    const chosen = all(page, /MUSTER_VENDOR_APP_CREDENTIAL (\w+)/g);
    expect(kinds.slice().sort()).toEqual(['managedIdentity', ...chosen].sort());
  });

  test('asks for the permissions that the check after a deployment looks for', () => {
    const asked = all(page, /"id": "([0-9a-f-]{36})", "type": "Role"/g);
    expect(asked.length).toBe(2);
    expect(asked).toEqual(all(hook, /'Mail\.\w+': '([0-9a-f-]{36})'/g));
  });

  test('registers the two addresses to which Microsoft sends admins back', () => {
    const expected = [CALLBACK_PATH, SIGN_IN_PATH].sort();
    expect(all(page, /<public url>(\/[\w/-]+)/g).sort()).toEqual(expected);
    expect(all(hook, /\$\{publicUrl\}(\/[\w/-]+)/g).sort()).toEqual(expected);
  });

  test('reads only outputs that a deployment has', () => {
    const outputs = all(main, /^output (\w+) /gm);
    const read = all(page, /azd env get-value (\w+)/g);
    expect(read.length).toBeGreaterThan(3);
    // azd knows this one itself.
    expect(read.filter((name) => name !== 'AZURE_ENV_NAME' && !outputs.includes(name))).toEqual([]);
  });
});
