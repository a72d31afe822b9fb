import { describeProcess, whenProcessEnds } from './processes.ts';

const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh']);

/**
 * Calls `then` once the user asks this program to end: by Ctrl-C or another signal, by closing the terminal (SIGHUP), or
 * by ending the npm process that runs it as the given script.
 *
 * npm runs a script below a shell, and neither passes on every signal. So both are watched: the shell, which is the
 * parent of this process, and npm, which is the parent of the shell.
 */
export function whenInterrupted(npmScript: string, then: () => void): void {
  let isInterrupted = false;
  const interrupt = () => {
    if (isInterrupted) return;
    isInterrupted = true;
    then();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
  if (process.env.npm_lifecycle_event !== npmScript) return;
  whenProcessEnds(process.ppid, interrupt);
  // Some shells replace themselves by the last command of a script. The parent is then npm itself.
  const parent = describeProcess(process.ppid);
  if (parent && SHELLS.has(parent.program)) whenProcessEnds(parent.parent, interrupt);
}
