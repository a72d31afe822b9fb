import { spawnSync } from 'node:child_process';

/**
 * Runs npm in `folder` and returns what it printed to standard output. On Windows npm is a script, which only a shell
 * can run.
 */
export function runNpm(folder: string, ...args: string[]): { exitCode: number; output: string } {
  const { error, status, stdout } = spawnSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  return { exitCode: status ?? 1, output: stdout };
}
