const LOOK_EVERY_MS = 1_000;

/**
 * Calls `onGone` once when the process that started this one is no more: its IPC channel has closed, or the process
 * that `MUSTER_PARENT_PID` names is gone. So a killed supervisor leaves no host behind that holds its port and queues.
 */
export function watchParent(parentPid: string | undefined, onGone: () => void): void {
  process.once('disconnect', onGone);
  const pid = Number(parentPid);
  if (!parentPid || !Number.isInteger(pid) || pid <= 0) return;
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  timer.unref();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but someone else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
