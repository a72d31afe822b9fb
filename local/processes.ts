import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const LOOK_EVERY_MS = 250;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Calls `then` once the process has ended. Does not keep this process alive.
 *
 * A killed process whose own parent does not collect it stays as a zombie, which looks alive. So for the parent of this
 * process a change of `process.ppid` counts too.
 */
export function whenProcessEnds(pid: number, then: () => void): void {
  const isParent = process.ppid === pid;
  const timer = setInterval(() => {
    if (isAlive(pid) && (!isParent || process.ppid === pid)) return;
    clearInterval(timer);
    then();
  }, LOOK_EVERY_MS);
  timer.unref();
}

/** A process's parent and the name of its program, or `undefined` where the system does not say. */
export function describeProcess(pid: number): { parent: number; program: string } | undefined {
  try {
    // "4711 (sh) S 4700 …"
    const found =
      process.platform === 'linux'
        ? /^\d+ \((?<program>.*)\) \S (?<parent>\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))
        : /^\s*(?<parent>\d+)\s+(?<program>.*\S)/.exec(
            execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }),
          );
    const { parent, program } = found?.groups ?? {};
    return parent && program ? { parent: Number(parent), program: basename(program) } : undefined;
  } catch {
    return undefined;
  }
}
