import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { buildFixtureApp, type QueueStorage, spawnHost, startQueueStorage, until } from '../support/functions-host.ts';
import { jsonOf } from '../support/json-of.ts';

let app: string;
let storage: QueueStorage;
beforeAll(async () => {
  [app, storage] = await Promise.all([buildFixtureApp(), startQueueStorage()]);
});
afterAll(async () => {
  await storage.stop();
  rmSync(app, { recursive: true, force: true });
});

function settings(): Record<string, string> {
  return {
    DataStorage: storage.connectionString,
    WORK_QUEUE: 'unused',
    TICK: '00:00:00.1',
    'AzureWebJobs.off.Disabled': 'true',
  };
}

interface Ticks {
  count: number;
  concurrentMax: number;
  payload: object;
}

async function ticksOf(url: string): Promise<Ticks> {
  return (await jsonOf<{ ticks: Ticks }>(await fetch(`${url}/seen`))).ticks;
}

test.concurrent('a timer runs at startup, on its schedule and on demand, and never twice at the same time', async () => {
  const host = await spawnHost(app, settings()).started;
  await until(async () => (await ticksOf(host.url)).count >= 2);
  const headers = { 'content-type': 'application/json' };
  const runNow = () => fetch(`${host.url}/admin/functions/tick`, { method: 'POST', headers, body: '{}' });
  await Promise.all([runNow(), runNow()]);
  await until(async () => (await ticksOf(host.url)).count >= 5);
  const ticks = await ticksOf(host.url);
  expect(ticks.concurrentMax).toBe(1);
  expect(ticks.payload).toMatchObject({
    schedule: { adjustForDST: true },
    scheduleStatus: { last: expect.stringMatching(/^2/), next: expect.any(String), lastUpdated: expect.any(String) },
    isPastDue: false,
  });
  expect(await host.stop()).toBe(0);
});

test.concurrent('SIGTERM lets requests and messages in flight finish, runs appTerminate, and exits with 0', async () => {
  const queue = storage.service.getQueueClient('drained');
  await queue.create();
  const host = await spawnHost(app, { ...settings(), WORK_QUEUE: 'drained' }).started;
  await queue.sendMessage(Buffer.from('{"kind":"slow","waitMs":900}').toString('base64'));
  const slow = fetch(`${host.url}/slow?ms=400`);
  await Promise.all([host.printed('slow began'), host.printed('slow message began')]);
  const code = host.stop();
  expect(await (await slow).text()).toBe('done');
  expect(await code).toBe(0);
  expect(host.output()).toContain('appTerminate ran');
  expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  await expect(fetch(`${host.url}/seen`)).rejects.toThrow();
});

test.concurrent('the host ends when its parent process is gone', async () => {
  const parent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const host = await spawnHost(app, { ...settings(), MUSTER_PARENT_PID: String(parent.pid) }).started;
  parent.kill('SIGKILL');
  expect(await host.exited).toBe(0);
});

describe.concurrent('an app that cannot run causes one clear message and exit code 1', () => {
  async function ending(directory: string, env: Record<string, string>) {
    const host = spawnHost(directory, { ...settings(), ...env });
    const code = await Promise.race([host.exited, host.started.then(() => 'started')]).catch(() => host.exited);
    return { code, output: host.output() };
  }

  test.each([
    ['a connection has no setting', { DataStorage: '' }, 'work: the app setting DataStorage must hold'],
    ['a %SETTING% is not set', { WORK_QUEUE: '' }, 'work: %WORK_QUEUE% names an app setting that is not set'],
    ['a schedule makes no sense', { TICK: '61 * * * * *' }, 'tick: the schedule "61 * * * * *" is neither'],
  ])('%s', async (_, env, message) => {
    const { code, output } = await ending(app, env);
    expect(code).toBe(1);
    expect(output).toContain('critical host: the app cannot be run: ');
    expect(output).toContain(message);
  });

  test('its port is taken', async () => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    const { code, output } = await ending(app, { FUNCTIONS_HTTP_PORT: String(port) });
    taken.close();
    expect(code).toBe(1);
    expect(output).toContain(`port ${port} is already in use`);
  });

  test('it is not built, or host.json is broken', async () => {
    const other = await buildFixtureApp();
    rmSync(join(other, 'dist'), { recursive: true });
    expect(await ending(other, {})).toMatchObject({ code: 1, output: expect.stringContaining('is missing: run') });
    writeFileSync(join(other, 'host.json'), '{"version":"2.0","extensions":{"queues":{"batchSize":64}}}');
    const { code, output } = await ending(other, {});
    expect(code).toBe(1);
    expect(output).toContain('host.json cannot be used: extensions.queues.batchSize');
    rmSync(other, { recursive: true, force: true });
  });
});

test.concurrent.each(['load', 'load later'])(
  'an app that throws while it loads has no function, as on the platform: %s',
  async (fault) => {
    const host = await spawnHost(app, { ...settings(), FIXTURE_FAULT: fault }).started;
    expect(host.functions).toEqual([]);
    expect((await fetch(`${host.url}/seen`)).status).toBe(404);
    expect(host.output()).toMatch(
      /error host: Worker was unable to load entry point ".*": MISSING_SETTING must be set/,
    );
    expect(await host.stop()).toBe(0);
  },
);

test.concurrent('settings also come from local.settings.json, and the environment overrides them', async () => {
  const other = await buildFixtureApp();
  writeFileSync(
    join(other, 'local.settings.json'),
    JSON.stringify({ IsEncrypted: false, Values: { ...settings(), FIXTURE_FAULT: 'load', TICK: '00:10:00' } }),
  );
  const host = await spawnHost(other, { FIXTURE_FAULT: 'none' }).started;
  expect(host.functions).toContain('tick');
  await host.stop();
  rmSync(other, { recursive: true, force: true });
});
