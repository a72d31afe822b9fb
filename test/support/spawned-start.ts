import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from '../../local/processes.ts';
import type { LocalJson } from '../../local/stack.ts';

interface SpawnedStart {
  child: ChildProcess;
  output(): string;
  /** Resolves to the exit code. */
  ended: Promise<number | null>;
}

/** Runs `local/start.ts` with these options, as `npm start` does. */
export function spawnStart(...options: string[]): SpawnedStart {
  return collect(spawn(process.execPath, ['local/start.ts', ...options], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/**
 * Runs `local/start.ts` below a shell, and the shell below another process that stands for npm. npm starts its scripts
 * like this, and neither the shell nor a killed npm passes a signal on.
 */
export function spawnStartByNpm(...options: string[]): SpawnedStart {
  const script = ['node local/start.ts', ...options, '&& true'].join(' ');
  const npm = `require('node:child_process').spawn('sh', ['-c', process.argv[1]], { stdio: 'inherit' })`;
  const env = { ...process.env, npm_lifecycle_event: 'start' };
  return collect(spawn(process.execPath, ['-e', npm, script], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Resolves to what a started stack wrote into its `local.json`, once it is ready. */
export async function untilReady(started: SpawnedStart, data: string): Promise<LocalJson> {
  while (!/^Muster is ready/m.test(started.output())) {
    if (started.child.exitCode !== null) throw new Error(`the stack did not start:\n${started.output()}`);
    await pause(50);
  }
  return readLocal(data);
}

/** Waits until these processes have ended, but no longer than `withinMs`. Resolves to those that are still alive. */
export async function survivors(pids: readonly number[], withinMs: number): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  while (pids.some(isAlive) && Date.now() < deadline) await pause(50);
  return pids.filter(isAlive);
}

/** The ids of all functions processes of a stack. */
export const functionsIn = ({ processes }: LocalJson): number[] => [processes.functions].flat();

export async function readLocal(data: string): Promise<LocalJson> {
  return JSON.parse(await readFile(join(data, 'local.json'), 'utf8'));
}

function collect(child: ChildProcess): SpawnedStart {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, output: () => output, ended };
}
