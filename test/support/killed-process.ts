import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunningStack } from './running-stack.ts';

/** Kills the functions process some time after a request began, whatever becomes of it, and waits until a new one answers. */
export async function killAfter(running: RunningStack, ms: number, request?: Promise<unknown>): Promise<void> {
  request?.catch(() => undefined);
  await pause(ms);
  running.stack.functions.kill('SIGKILL');
  await request?.catch(() => undefined);
  await untilReady(running);
}

/** Resolves once a functions process answers. */
export async function untilReady({ operator }: RunningStack): Promise<void> {
  const status = () =>
    operator.call('GET', '/v1/health/ready').then(
      (answer) => answer.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 120_000 }).toBe(200);
}
