import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMuster } from '../../clients/typescript/src/index.ts';
import { isAlive } from '../../local/processes.ts';
import { portOf } from '../support/port-of.ts';
import {
  functionsIn,
  readLocal,
  spawnStart,
  spawnStartByNpm,
  survivors,
  untilReady,
} from '../support/spawned-start.ts';

let data: string;
beforeAll(async () => {
  await mkdir('.muster', { recursive: true });
  data = await mkdtemp('.muster/start-');
});
afterAll(() => rm(data, { recursive: true, force: true }));

it('keeps its data over a restart, recovers a killed app, refuses a second start, and leaves no child behind', async () => {
  const first = spawnStart('--port', '0', '--data', data);
  const before = await untilReady(first, data);
  const operator = createMuster({ url: before.apiUrl, key: before.operatorKey });
  const { id } = await operator.customers.create({ name: 'Acme', mailboxSlots: 5 });

  for (const options of [[], ['--fresh']]) {
    const second = spawnStart('--port', '0', '--data', data, ...options);
    expect(await second.ended).toBe(1);
    expect(second.output().trim().split('\n')).toEqual([expect.stringContaining('is already running')]);
  }

  process.kill(functionsIn(before)[0] ?? 0, 'SIGKILL');
  await expect
    .poll(async () => (await readLocal(data)).processes.functions, { timeout: 15_000 })
    .not.toBe(before.processes.functions);
  expect(await operator.customers.get(id)).toMatchObject({ id });

  const recovered = await readLocal(data);
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect([...functionsIn(recovered), recovered.processes.storage].filter(isAlive)).toEqual([]);
  await expect(readLocal(data)).rejects.toMatchObject({ code: 'ENOENT' });

  const again = spawnStart('--port', '0', '--data', data);
  const after = await untilReady(again, data);
  expect(after.operatorKey).toBe(before.operatorKey);
  const sameOperator = createMuster({ url: after.apiUrl, key: after.operatorKey });
  expect(await sameOperator.customers.get(id)).toMatchObject({ name: 'Acme' });
  again.child.kill('SIGTERM');
  expect(await again.ended).toBe(0);
}, 120_000);

it('--help names every option and starts nothing', async () => {
  const started = spawnStart('--help');
  expect(await started.ended).toBe(0);
  for (const option of ['--port', '--data', '--fresh', '--scenario', '--processes', '--apart']) {
    expect(started.output()).toContain(option);
  }
});

it('explains in one sentence why it cannot start: an unknown option, an invalid scenario, a busy port, no process', async () => {
  const busy = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => busy.once('listening', resolve));
  const port = portOf(busy);
  const elsewhere = join(data, 'elsewhere');
  const runs = [
    spawnStart('--porth', '1'),
    spawnStart('--data', `${elsewhere}-1`, '--scenario', 'package.json'),
    spawnStart('--data', `${elsewhere}-2`, '--port', String(port)),
    spawnStart('--data', `${elsewhere}-3`, '--processes', '0'),
  ];
  const codes = await Promise.all(runs.map((run) => run.ended));
  busy.close();
  expect(codes).toEqual([1, 1, 1, 1]);
  expect(runs[0]?.output()).toContain("'--porth'");
  expect(runs[1]?.output()).toContain('tenants');
  expect(runs[2]?.output().trim()).toBe(
    `Port ${port} is in use. Choose another one with --port, or use --port 0 for a free one.`,
  );
  expect(runs[3]?.output().trim()).toBe('--processes takes a whole number from 1 to 32.');
  for (const run of runs) expect(run.output()).not.toMatch(/^ {4}at /m);
}, 30_000);

it.skipIf(process.platform === 'win32').each(['SIGTERM', 'SIGKILL'] as const)(
  'shuts down cleanly when npm receives %s and passes no signal on',
  async (signal) => {
    const folder = join(data, `by-npm-${signal}`);
    const started = spawnStartByNpm('--port', '0', '--data', folder);
    const local = await untilReady(started, folder);
    started.child.kill(signal);
    expect(await survivors([...functionsIn(local), local.processes.storage], 15_000)).toEqual([]);
    await expect.poll(() => readLocal(folder).then(Boolean, () => false)).toBe(false);
  },
  60_000,
);
