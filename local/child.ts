import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One run of a child process, its output line by line. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, whyever. */
  readonly ended: Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a Node program; `onLine` hears both of its outputs. It gets a process group of its own: Ctrl-C in a terminal
 * strikes a whole group, and a storage that goes first leaves the app nothing to drain into.
 */
export function startChild(
  args: readonly string[],
  env: Record<string, string | undefined>,
  onLine: (line: string) => void,
): Child {
  const child: ChildProcess = spawn(process.execPath, [...args], {
    env,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      onLine(`could not be started: ${error.message}`);
      resolve();
    });
    child.once('close', () => resolve());
  });
  return { pid: child.pid ?? 0, ended, kill: (signal) => void child.kill(signal) };
}

/** Asks a child to end, and ends it when it does not. */
export async function endChild(child: Child, patienceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await child.ended;
  clearTimeout(impatience);
}
