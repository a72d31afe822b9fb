/**
 * Loaded into a child that knows nothing of us (`--import`): it ends by SIGTERM when the process that started it is gone.
 * Azurite would else hold its ports and files, or die of its first line to nobody and lose what it has acknowledged.
 */
const LOOK_EVERY_MS = 250;
const parent = process.ppid;

for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM');
}, LOOK_EVERY_MS);
timer.unref();
