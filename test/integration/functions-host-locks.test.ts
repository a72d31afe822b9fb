import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { buildFixtureApp, type HostProcess, spawnHost, until } from '../support/functions-host.ts';
import { jsonOf } from '../support/json-of.ts';

let app: string;
let storage: Azurite;
const running: HostProcess[] = [];
beforeAll(async () => {
  [app, storage] = await Promise.all([buildFixtureApp(), startAzurite('blob')]);
});
afterAll(async () => {
  await Promise.all(running.map((host) => host.stop()));
  await storage.stop();
  rmSync(app, { recursive: true, force: true });
});

async function startHost(env: Record<string, string> = {}): Promise<HostProcess> {
  const host = await spawnHost(app, {
    AzureWebJobsStorage: storage.connectionString,
    TICK: '00:00:00.1',
    ...Object.fromEntries(['work', 'work-poison', 'off'].map((name) => [`AzureWebJobs.${name}.Disabled`, 'true'])),
    AzureFunctionsJobHost__singleton__listenerLockPeriod: '00:00:15',
    AzureFunctionsJobHost__singleton__listenerLockRecoveryPollingInterval: '00:00:01',
    ...env,
  }).started;
  running.push(host);
  return host;
}

const ticksOf = async ({ url }: HostProcess) =>
  (await jsonOf<{ ticks: { count: number } }>(await fetch(`${url}/seen`))).ticks.count;

test('a timer runs on one of two hosts that share storage, and on the other one after the first has stopped', async () => {
  const env = { AzureFunctionsWebHost__hostid: 'two-hosts' };
  const first = await startHost(env);
  await until(async () => (await ticksOf(first)) > 0);
  const second = await startHost(env);
  const before = await ticksOf(first);
  await until(async () => (await ticksOf(first)) > before + 10);
  expect(await ticksOf(second)).toBe(0);

  // By hand a timer runs on any host.
  const headers = { 'content-type': 'application/json' };
  await fetch(`${second.url}/admin/functions/tick`, { method: 'POST', headers, body: '{}' });
  await until(async () => (await ticksOf(second)) === 1);

  await first.stop();
  await until(async () => (await ticksOf(second)) > 3);
}, 30_000);

test('a killed host that is started again has its timers back, without waiting for its own lock to end', async () => {
  const env = {
    AzureFunctionsWebHost__hostid: 'killed-host',
    MUSTER_HOST_INSTANCE_ID: randomUUID(),
    // Another host would have to wait for this time, which is longer than this test may take.
    AzureFunctionsJobHost__singleton__listenerLockPeriod: '00:01:00',
  };
  const first = await startHost(env);
  await until(async () => (await ticksOf(first)) > 0);
  first.process.kill('SIGKILL');
  await first.exited;
  const again = await startHost(env);
  await until(async () => (await ticksOf(again)) > 0);
}, 30_000);

test('a host of one group runs the functions of that group only, and names all groups', async () => {
  const host = await startHost({ MUSTER_HOST_GROUP: 'function:tick', AzureFunctionsWebHost__hostid: 'group' });
  expect(host.functions).toEqual(['tick']);
  expect((await fetch(`${host.url}/nothing`)).status).toBe(404);
  const http = await startHost({ MUSTER_HOST_GROUP: 'http', AzureFunctionsWebHost__hostid: 'group-http' });
  expect(http.functions).toContain('nothing');
  expect(http.functions).not.toContain('tick');
  for (const { groups } of [host, http]) {
    expect(groups).toEqual([
      { name: 'http', trigger: 'http' },
      { name: 'function:tick', trigger: 'timer' },
    ]);
  }
  await expect(startHost({ MUSTER_HOST_GROUP: 'function:none' })).rejects.toThrow(
    'MUSTER_HOST_GROUP=function:none names no group of functions of this app',
  );
}, 30_000);
