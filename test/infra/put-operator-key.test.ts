import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { expect, test } from 'vitest';
import { OPERATOR_KEY_NAME, putOperatorKey } from '../../infra/hooks/put-operator-key.ts';

const APP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f';

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
  expect(await putOperatorKey(deps, APP)).toBe('created');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toMatch(/^[\w-]{43}$/);
  expect(seen.calls).toEqual([`POST ${APP}/config/configreferences/appsettings/refresh?api-version=2022-03-01`]);
});

test('never creates the same key twice, and never prints it', async () => {
  const [one, other] = [simulatedVault(), simulatedVault()];
  await putOperatorKey(one.deps, APP);
  await putOperatorKey(other.deps, APP);
  const key = one.seen.secrets.get(OPERATOR_KEY_NAME) ?? '';
  expect(other.seen.secrets.get(OPERATOR_KEY_NAME)).not.toBe(key);
  expect([...one.seen.lines, ...one.seen.calls].join('\n')).not.toContain(key);
});

test('keeps an existing key, so that a second deployment locks nobody out', async () => {
  const { deps, seen } = simulatedVault({ existing: 'the first one' });
  expect(await putOperatorKey(deps, APP)).toBe('kept');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toBe('the first one');
  expect(seen.calls).toEqual([]);
});

test('waits until the deployer’s role takes effect', async () => {
  const { deps, seen } = simulatedVault({ refusals: 20 });
  expect(await putOperatorKey(deps, APP)).toBe('created');
  expect(seen.waits).toBe(20);
});

test('gives up after fewer than 100 waits', async () => {
  const { deps, seen } = simulatedVault({ refusals: Number.POSITIVE_INFINITY });
  await expect(putOperatorKey(deps, APP)).rejects.toThrow('refused');
  expect(seen.waits).toBeLessThan(100);
});

test('says immediately what to do if the vault is closed to this network', async () => {
  const refuse = refusal(403, '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByConnection"}}}');
  const { deps, seen } = simulatedVault({ refusals: 1, refuse });
  await expect(putOperatorKey(deps, APP)).rejects.toThrow('MUSTER_VAULT_ALLOWED_IP');
  expect(seen.waits).toBe(0);
});

test('does not create a key if the vault fails', async () => {
  const { deps, seen } = simulatedVault({ refusals: 1, refuse: refusal(503) });
  await expect(putOperatorKey(deps, APP)).rejects.toThrow('refused');
  expect(seen.secrets.size).toBe(0);
});
