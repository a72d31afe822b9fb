import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Where Node keeps compiled code. Without it, each start of the host compiles some hundred files again. */
const COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'muster-compile-cache');

/** One run of a child process. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a Node program. `onLine` receives every line of its standard output and standard error. `MUSTER_PARENT_PID`
 * names this process, so that the child can notice when it ends.
 *
 * The child gets its own process group. Ctrl-C in a terminal signals a whole group, and the storage must not stop before
 * the app has written what it has in flight.
 */
export function startChild(
  args: readonly string[],
  env: Record<string, string | undefined>,
  onLine: (line: string) => void,
): Child {
  const child: ChildProcess = spawn(process.execPath, [...args], {
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env, MUSTER_PARENT_PID: String(process.pid) },
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      onLine(`could not start: ${error.message}`);
      resolve();
    });
    child.once('close', () => resolve());
  });
  return { pid: child.pid ?? 0, ended, kill: (signal) => void child.kill(signal) };
}

/** Asks a child to end, and kills it if it has not ended in time. */
export async function endChild(child: Child, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await child.ended;
  clearTimeout(timer);
}
