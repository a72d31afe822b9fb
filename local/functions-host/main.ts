import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { endWithParent } from '../end-with-parent.ts';
import { addLocalSettings } from './app-settings.ts';
import { type Host, startHost } from './host.ts';
import { HostError } from './host-error.ts';
import { describeError } from './log.ts';

/** How long a process that ends because of a time limit has for telling the queues. */
const AFTER_TIMEOUT_MAX_MS = 5_000;

/**
 * Runs the built app of a directory: `node local/functions-host/main.ts [--app DIR]`.
 *
 * App settings come from the environment and from `local.settings.json`. The host has settings of its own:
 * `FUNCTIONS_HTTP_PORT` (default 7071, 0 picks a free port), `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`, `FUNCTIONS_MASTER_KEY`,
 * `MUSTER_PARENT_PID`, `MUSTER_HOST_GROUP`, `MUSTER_HOST_INSTANCE_ID` and `MUSTER_HOST_DELIVER_TWICE`.
 *
 * Once the host is up, it prints one line of JSON, `{"event":"host started","port":…,"functions":[…],"groups":[…]}`, and
 * sends the same to a parent that is connected by IPC. If it cannot run the app, it prints one message to standard error
 * and exits with 1. On SIGTERM, on SIGINT and when its parent ends, it finishes the work in flight and exits with 0. An
 * orphan has eight seconds for that.
 *
 * When a function exceeds the time limit of `host.json`, everything in flight fails and the process exits with 1. It is
 * left to the parent to start it again, as the platform does.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { app: { type: 'string', default: '.' } } });
  const appDirectory = resolve(values.app);
  process.chdir(appDirectory);
  addLocalSettings(appDirectory, process.env);

  let host: Host | undefined;
  let isEnding = false;
  const end = async (exitCode: 0 | 1 = 0) => {
    if (isEnding) return;
    isEnding = true;
    try {
      await host?.stop();
    } catch (error) {
      fail('the app failed to shut down', error);
    }
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  endWithParent(() => void end());

  host = await startHost(appDirectory, process.env, () => {
    // What the abandoned functions still do may keep the app from shutting down.
    setTimeout(() => process.exit(1), AFTER_TIMEOUT_MAX_MS).unref();
    process.stderr.write('warning host: a function exceeded its time limit, so the process is restarted\n');
    void end(1);
  });
  const { port, functions, groups } = host;
  const started = { event: 'host started', port, functions, groups };
  process.stdout.write(`${JSON.stringify(started)}\n`);
  process.send?.(started);
}

function fail(what: string, error: unknown): never {
  const reason = error instanceof HostError ? error.message : describeError(error);
  process.stderr.write(`critical host: ${what}: ${reason}\n`);
  process.exit(1);
}

// A dead parent no longer reads these pipes. Without a listener the next line printed would crash the host.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => fail('uncaught exception', error));

await main().catch((error: unknown) => fail('the app cannot be run', error));
