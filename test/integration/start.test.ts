import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiClient } from '../../local/api-client.ts';
import type { LocalJson } from '../../local/stack.ts';

let data: string;

interface Run {
  child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

function start(...options: string[]): Run {
  const child = spawn(process.execPath, ['local/start.ts', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, output: () => output, ended };
}

const local = async (): Promise<LocalJson> => JSON.parse(await readFile(join(data, 'local.json'), 'utf8'));
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

beforeAll(async () => {
  await mkdir('.muster', { recursive: true });
  data = await mkdtemp('.muster/start-');
});
afterAll(() => rm(data, { recursive: true, force: true }));

it('keeps a customer over a restart, comes back when killed, refuses a second start, and leaves no child', async () => {
  const first = start('--port', '0', '--data', data);
  await expect.poll(first.output, { timeout: 30_000 }).toMatch(/^Muster is ready/m);
  const before = await local();
  const operator = createApiClient(before.apiUrl, before.operatorKey);
  const body = { name: 'Acme', mailboxSlots: 5 };
  const { id } = await operator.expect<{ id: string }>(201, 'POST', '/v1/customers', { body });

  for (const second of [start('--port', '0', '--data', data), start('--port', '0', '--data', data, '--fresh')]) {
    expect(await second.ended).toBe(1);
    expect(second.output().trim().split('\n')).toEqual([expect.stringContaining('is running on')]);
  }

  process.kill(before.processes.functions, 'SIGKILL');
  await expect
    .poll(async () => (await local()).processes.functions, { timeout: 15_000 })
    .not.toBe(before.processes.functions);
  expect((await operator.call('GET', `/v1/customers/${id}`)).status).toBe(200);

  const { processes } = await local();
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect([processes.functions, processes.storage].filter(isAlive)).toEqual([]);
  await expect(local()).rejects.toMatchObject({ code: 'ENOENT' });

  const again = start('--port', '0', '--data', data);
  await expect.poll(again.output, { timeout: 30_000 }).toMatch(/^Muster is ready/m);
  const after = await local();
  expect(after.operatorKey).toBe(before.operatorKey);
  const sameOperator = createApiClient(after.apiUrl, after.operatorKey);
  expect((await sameOperator.call('GET', `/v1/customers/${id}`)).body).toMatchObject({ name: 'Acme' });
  again.child.kill('SIGTERM');
  expect(await again.ended).toBe(0);
}, 90_000);

it('says in one sentence why it cannot start: an unknown option, a scenario with faults, a busy port', async () => {
  const busy = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => busy.once('listening', resolve));
  const { port } = busy.address() as { port: number };
  const elsewhere = join(data, 'elsewhere');
  const runs = [
    start('--porth', '1'),
    start('--data', `${elsewhere}-1`, '--scenario', 'package.json'),
    start('--data', `${elsewhere}-2`, '--port', String(port)),
  ];
  const codes = await Promise.all(runs.map((run) => run.ended));
  busy.close();
  expect(codes).toEqual([1, 1, 1]);
  expect(runs[0]?.output()).toContain("'--porth'");
  expect(runs[1]?.output()).toContain('tenants');
  expect(runs[2]?.output().trim()).toBe(`Port ${port} is in use: name another with --port, or 0 for a free one.`);
  for (const run of runs) expect(run.output()).not.toMatch(/^ {4}at /m);
}, 30_000);

it.skipIf(process.platform === 'win32')(
  'ends when npm is told to, whose shell passes no signal on',
  async () => {
    const folder = join(data, 'by-npm');
    const script = `node local/start.ts --port 0 --data ${folder} && true`;
    const shell = spawn('sh', ['-c', script], {
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: 'ignore',
    });
    const read = async (): Promise<LocalJson> => JSON.parse(await readFile(join(folder, 'local.json'), 'utf8'));
    await expect.poll(() => read().then(Boolean, () => false), { timeout: 30_000 }).toBe(true);
    const { processes } = await read();
    shell.kill('SIGTERM');
    await expect.poll(() => [processes.functions, processes.storage].filter(isAlive), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => read().then(Boolean, () => false)).toBe(false);
  },
  60_000,
);
