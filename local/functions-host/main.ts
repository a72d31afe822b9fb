import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { endWithParent } from '../end-with-parent.ts';
import { addLocalSettings } from './app-settings.ts';
import { type Host, startHost } from './host.ts';
import { HostError } from './host-error.ts';
import { describeError } from './log.ts';

/**
 * Runs the built app of a directory: `node local/functions-host/main.ts [--app DIR]`.
 *
 * Settings come from the environment, then from `local.settings.json`. The host's own: `FUNCTIONS_HTTP_PORT` (7071; 0
 * picks a free one), `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`, `FUNCTIONS_MASTER_KEY`, `MUSTER_PARENT_PID`,
 * `MUSTER_HOST_DELIVER_TWICE`. When it is up it prints one line of JSON, `{"event":"host started","port":…,
 * "functions":[…]}`, and sends the same to a parent that is connected by IPC. An app that cannot be run is one message
 * on standard error and exit code 1; SIGTERM, SIGINT and the end of the parent drain it, then exit code 0.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { app: { type: 'string', default: '.' } } });
  const appDirectory = resolve(values.app);
  process.chdir(appDirectory);
  addLocalSettings(appDirectory, process.env);

  let host: Host | undefined;
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    try {
      await host?.stop();
    } catch (error) {
      fail('the app did not end well', error);
    }
    process.exit(0);
  };
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  endWithParent(() => void end());

  host = await startHost(appDirectory, process.env);
  const started = { event: 'host started', port: host.port, functions: host.functions };
  process.stdout.write(`${JSON.stringify(started)}\n`);
  process.send?.(started);
}

function fail(what: string, error: unknown): never {
  const words = error instanceof HostError ? error.message : describeError(error);
  process.stderr.write(`critical host: ${what}: ${words}\n`);
  process.exit(1);
}

// A supervisor that dies takes the other end of the pipes along; the lines are then for nobody.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => fail('uncaught exception', error));

await main().catch((error: unknown) => fail('the app cannot be run', error));
