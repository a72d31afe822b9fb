import { expect, test } from 'vitest';
import { startFunctions } from '../../local/functions-process.ts';
import { freePort } from '../../local/ports.ts';
import { spawnHost } from '../support/functions-host.ts';

const settings = { AZURE_CLIENT_ID: 'no guid', OPERATOR_KEY: 'too short', PATH: process.env.PATH ?? '' };

test('503: without its settings, the app answers everything with a problem, and health says which settings to fix', async () => {
  const host = await spawnHost('.', settings).started;
  expect(host.groups.map((group) => group.trigger)).toEqual(['http']);
  for (const path of ['/v1/health', '/v1/health/ready']) {
    const answer = await fetch(`${host.url}${path}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60']);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const { detail } = (await answer.json()) as { detail: string };
    for (const line of ['Muster cannot start.', 'KEY_VAULT_URL: is required', 'AZURE_CLIENT_ID: must be a GUID'])
      expect(detail).toContain(line);
    expect(detail).not.toContain('too short');
  }
  for (const method of ['GET', 'POST', 'DELETE']) {
    const answer = await fetch(`${host.url}/v1/imports/imp_1`, { method });
    expect([answer.status, await answer.json()]).toMatchObject([503, { title: 'The app is not configured' }]);
  }
  expect(host.output()).toContain('"event":"not_configured"');
  expect(await host.stop()).toBe(0);
});

test('the local stack does not start an app without its settings, and says which settings to fix', async () => {
  const options = { port: await freePort(), env: settings, onLine: () => undefined };
  await expect(startFunctions(options)).rejects.toThrow(/Muster cannot start. Fix these settings:\n.*KEY_VAULT_URL/s);
});
