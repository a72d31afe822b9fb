import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../local/processes.ts';
import type { LocalJson } from '../../local/stack.ts';
import { functionsIn, spawnStart, spawnStartByNpm, survivors, untilReady } from '../support/spawned-start.ts';

/** No child may outlive its killed stack by more. */
const GONE_WITHIN_MS = 15_000;

let base: string;
beforeAll(async () => {
  await mkdir('.muster', { recursive: true });
  base = await mkdtemp('.muster/orphans-');
});
afterAll(() => rm(base, { recursive: true, force: true }));

/** Connections that send half a request and never close. Azurite's own shutdown waits for them forever. */
async function holdConnections({ storage }: LocalJson): Promise<Socket[]> {
  return Promise.all(
    [storage.blob, storage.queue, storage.table].map(async (url) => {
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write('POST /devstoreaccount1 HTTP/1.1\r\nHost: 127.0.0.1\r\n');
      return socket;
    }),
  );
}

/** Kills the process and waits until none of the stack's processes is left. */
async function expectNoneLeft(killed: number | undefined, local: LocalJson): Promise<void> {
  const children = [...functionsIn(local), local.processes.storage];
  expect(children.filter(isAlive)).toEqual(children);
  process.kill(killed ?? 0, 'SIGKILL');
  expect(await survivors(children, GONE_WITHIN_MS)).toEqual([]);
}

describe.skipIf(process.platform === 'win32')('the stack’s children end within 15 seconds', () => {
  it.concurrent.each([
    ['an idle stack is killed', spawnStart, [], false],
    ['a stack with open connections to its storage is killed', spawnStart, [], true],
    ['npm is killed, with open connections to the storage', spawnStartByNpm, [], true],
    ['a stack of several functions processes is killed', spawnStart, ['--processes', '3'], false],
    ['a stack with each group of functions apart is killed', spawnStart, ['--apart'], false],
  ] as const)(
    'when %s',
    async (_, start, options, hasConnections) => {
      const data = await mkdtemp(`${base}/data-`);
      const started = start('--port', '0', '--data', data, ...options);
      const local = await untilReady(started, data);
      const sockets = hasConnections ? await holdConnections(local) : [];
      await expectNoneLeft(started.child.pid, local);
      for (const socket of sockets) socket.destroy();
    },
    60_000,
  );

  // The child then never sees its parent alive.
  it.concurrent('when the stack is killed the moment it has started its storage', async () => {
    const child = new URL('../../local/child.ts', import.meta.url).href;
    const guard = new URL('../../local/storage-guard.ts', import.meta.url).href;
    const starter = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { startChild } from '${child}';
       import { writeSync } from 'node:fs';
       const ignoreSigterm = 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1000)';
       const { pid } = startChild(['--import', '${guard}', '-e', ignoreSigterm], process.env, () => undefined);
       writeSync(1, String(pid));
       process.kill(process.pid, 'SIGKILL');`,
    ]);
    const pid = await new Promise<number>((resolve) => starter.stdout.once('data', (text) => resolve(Number(text))));
    expect(await survivors([pid], GONE_WITHIN_MS)).toEqual([]);
  }, 30_000);
});
