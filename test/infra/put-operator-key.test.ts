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

/** A vault that refuses so many times, and all that was done to it and around it. */
function world({
  kept,
  refusals = 0,
  refuse = refusal(403),
}: {
  kept?: string;
  refusals?: number;
  refuse?: Error;
} = {}) {
  const secrets = new Map(kept === undefined ? [] : [[OPERATOR_KEY_NAME, kept]]);
  const seen = { secrets, lines: [] as string[], calls: [] as string[], waits: 0 };
  let left = refusals;
  const needs = {
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
  return { needs, seen };
}

test('makes a key that the app takes, and has the app look it up', async () => {
  const { needs, seen } = world();
  expect(await putOperatorKey(needs, APP)).toBe('created');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toMatch(/^[\w-]{43}$/);
  expect(seen.calls).toEqual([`POST ${APP}/config/configreferences/appsettings/refresh?api-version=2022-03-01`]);
});

test('never makes the same key twice, and never shows it', async () => {
  const [one, other] = [world(), world()];
  await putOperatorKey(one.needs, APP);
  await putOperatorKey(other.needs, APP);
  const key = one.seen.secrets.get(OPERATOR_KEY_NAME) ?? '';
  expect(other.seen.secrets.get(OPERATOR_KEY_NAME)).not.toBe(key);
  expect([...one.seen.lines, ...one.seen.calls].join('\n')).not.toContain(key);
});

test('keeps a key that is there: a second deployment locks nobody out', async () => {
  const { needs, seen } = world({ kept: 'the first one' });
  expect(await putOperatorKey(needs, APP)).toBe('kept');
  expect(seen.secrets.get(OPERATOR_KEY_NAME)).toBe('the first one');
  expect(seen.calls).toEqual([]);
});

test('waits for the role of the deployer to take hold', async () => {
  const { needs, seen } = world({ refusals: 20 });
  expect(await putOperatorKey(needs, APP)).toBe('created');
  expect(seen.waits).toBe(20);
});

test('gives up in the end', async () => {
  const { needs, seen } = world({ refusals: Number.POSITIVE_INFINITY });
  await expect(putOperatorKey(needs, APP)).rejects.toThrow('refused');
  expect(seen.waits).toBeLessThan(100);
});

test('says at once what to do when the vault is closed to this network', async () => {
  const refuse = refusal(403, '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByConnection"}}}');
  const { needs, seen } = world({ refusals: 1, refuse });
  await expect(putOperatorKey(needs, APP)).rejects.toThrow('MUSTER_VAULT_ALLOWED_IP');
  expect(seen.waits).toBe(0);
});

test('does not mistake a vault that fails for one without a key', async () => {
  const { needs, seen } = world({ refusals: 1, refuse: refusal(503) });
  await expect(putOperatorKey(needs, APP)).rejects.toThrow('refused');
  expect(seen.secrets.size).toBe(0);
});
