import { whenProcessEnds } from './processes.ts';

/** How long a clean shutdown may take once the parent is gone. */
const SHUTDOWN_MAX_MS = 8_000;

/**
 * Ends this process when its parent has ended: when the IPC channel to it closes, or when the process with the id in
 * `MUSTER_PARENT_PID` is gone. An orphan would otherwise hold its ports, queues and files.
 *
 * Asks for a clean shutdown first: Azurite loses acknowledged writes when it is killed. A shutdown can hang, though
 * (Azurite's waits for every open connection), so after eight seconds the process kills itself.
 *
 * The id comes from the environment because the parent can end before this code runs. `process.ppid` would then name
 * the orphan's new parent.
 */
export function endWithParent(shutDown: () => void): void {
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), SHUTDOWN_MAX_MS).unref();
    shutDown();
  };
  process.once('disconnect', end);
  const parent = Number(process.env.MUSTER_PARENT_PID);
  if (Number.isInteger(parent) && parent > 0) whenProcessEnds(parent, end);
}
