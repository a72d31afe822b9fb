import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { expect, test } from 'vitest';
import { AzureRefusal } from '../../infra/hooks/azure.ts';
import { OPERATOR_KEY_NAME, putOperatorKey } from '../../infra/hooks/put-operator-key.ts';

const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f';
const VAULT = '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv';
const target = (allowedIp = '') => ({ functionAppId: APP, vaultId: VAULT, allowedIp });

function refusal(statusCode: number, bodyAsText = '') {
  const request = createPipelineRequest({ url: 'https://kv.vault.azure.net/' });
  return new RestError('refused', {
    statusCode,
    request,
    response: { status: statusCode, bodyAsText, headers: createHttpHeaders(), request },
  });
}

/** A vault that refuses the first `refusals` reads, and everything that the script did with it. */
function simulatedVault({
  existing,
  refusals = 0,
  refuse = refusal(403),
}: {
  existing?: string;
  refusals?: number;
  refuse?: Error;
} = {}) {
  const secrets = new Map(existing === undefined ? [] : [[OPERATOR_KEY_NAME, existing]]);
  const lines: string[] = [];
  const calls: string[] = [];
  const seen = { secrets, lines, calls, waits: 0 };
  let left = refusals;
  const deps = {
    vault: {
      async getSecret(name: string) {
        if (left-- > 0) throw refuse;
        const value = secrets.get(name);
        if (value === undefined) throw refusal(404);
        return { name, value, properties: { name, vaultUrl: '' } };
      },
      async setSecret(name: string, value: string) {
        secrets.set(name, value);
        return { name, value, properties: { name, vaultUrl: '' } };
      },
    },
    async callAzure(method: string, path: string) {
      if (path === `${VAULT}/secrets/${OPERATOR_KEY_NAME}?api-version=2023-07-01`) {
        if (!secrets.has(OPERATOR_KEY_NAME)) throw new AzureRefusal(method, 404, '');
        return { id: path };
      }
      seen.calls.push(`${method} ${path}`);
      return undefined;
    },
    async wait() {
      seen.waits++;
    },
    say: (line: string) => void seen.lines.push(line),
  };
  return { deps, seen };
}

test('creates a key that the app accepts, and makes the app read it', async () => {
  const { deps, seen } = simulatedVault();
  expect(await putOperatorKey(deps, target())).toBe('created');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toMatch(/^[\w-]{43}$/);
  expect(seen.calls).toEqual([`POST ${APP}/config/configreferences/appsettings/refresh?api-version=2022-03-01`]);
});

test('never creates the same key twice, and never prints it', async () => {
  const [one, other] = [simulatedVault(), simulatedVault()];
  await putOperatorKey(one.deps, target());
  await putOperatorKey(other.deps, target());
  const key = one.seen.secrets.get(OPERATOR_KEY_NAME) ?? '';
  expect(other.seen.secrets.get(OPERATOR_KEY_NAME)).not.toBe(key);
  expect([...one.seen.lines, ...one.seen.calls].join('\n')).not.toContain(key);
});

test('keeps an existing key, so that a second deployment locks nobody out', async () => {
  const { deps, seen } = simulatedVault({ existing: 'the first one' });
  expect(await putOperatorKey(deps, target())).toBe('kept');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toBe('the first one');
  expect(seen.calls).toEqual([]);
});

test('waits until the deployer’s role takes effect', async () => {
  const { deps, seen } = simulatedVault({ refusals: 20 });
  expect(await putOperatorKey(deps, target())).toBe('created');
  expect(seen.waits).toBe(20);
});

test('gives up after fewer than 100 waits', async () => {
  const { deps, seen } = simulatedVault({ refusals: Number.POSITIVE_INFINITY });
  await expect(putOperatorKey(deps, target())).rejects.toThrow('refused');
  expect(seen.waits).toBeLessThan(100);
});

const byConnection = refusal(403, '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByConnection"}}}');
const byFirewall = refusal(
  403,
  '{"error":{"code":"Forbidden","message":"Client address is not authorized and caller is not a trusted service.\\r\\nClient address: 203.0.113.7\\r\\nCaller: appid=1","innererror":{"code":"ForbiddenByFirewall"}}}',
);
const ALWAYS = Number.POSITIVE_INFINITY;

test.each([
  ['closed to the internet', byConnection, '', 'MUSTER_VAULT_ALLOWED_IP <your public address>'],
  ['that admits another address', byFirewall, '198.51.100.1', 'MUSTER_VAULT_ALLOWED_IP 203.0.113.7'],
  ['that admits no address', byFirewall, '', 'only the virtual network'],
])('says immediately what to do about a vault %s', async (_, refuse, allowedIp, advice) => {
  const { deps, seen } = simulatedVault({ refusals: ALWAYS, refuse });
  await expect(putOperatorKey(deps, target(allowedIp))).rejects.toThrow(advice);
  expect(seen.waits).toBe(0);
});

// Otherwise no later deployment would succeed once the vault is closed for good.
test.each([byConnection, byFirewall])('keeps the key of a vault that is closed by now', async (refuse) => {
  const { deps, seen } = simulatedVault({ existing: 'the first one', refusals: ALWAYS, refuse });
  expect(await putOperatorKey(deps, target())).toBe('kept');
  expect(seen.waits).toBe(0);
});

test('waits until the firewall admits the address that it was told to admit', async () => {
  const { deps, seen } = simulatedVault({ refusals: 3, refuse: byFirewall });
  expect(await putOperatorKey(deps, target('203.0.113.7'))).toBe('created');
  expect(seen.waits).toBe(3);
});

test('does not create a key if the vault fails', async () => {
  const { deps, seen } = simulatedVault({ refusals: 1, refuse: refusal(503) });
  await expect(putOperatorKey(deps, target())).rejects.toThrow('refused');
  expect(seen.secrets.size).toBe(0);
});
