import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import { StartError } from './start-error.ts';
import { type SupervisedChild, superviseChild } from './supervised-child.ts';

const HOST = fileURLToPath(new URL('./functions-host/main.ts', import.meta.url));
const START_MAX_MS = 30_000;
/** The host gives invocations in flight 20 seconds to finish. */
const STOP_MAX_MS = 25_000;

/** The functions host with the built app in it. It is restarted when it dies, as in Azure. */
export interface FunctionsProcess extends SupervisedChild {
  readonly port: number;
}

interface FunctionsProcessOptions {
  port: number;
  env: Record<string, string | undefined>;
  onLine: (line: string) => void;
  onRestart?: () => void;
}

/** Resolves once the app answers. Rejects with a `StartError` in the host's own words when it cannot run the app. */
export async function startFunctions(options: FunctionsProcessOptions): Promise<FunctionsProcess> {
  const process = await superviseChild({
    launch: () => launchHost(options),
    stopMaxMs: STOP_MAX_MS,
    onRestart: options.onRestart,
    onFailure: (error) => options.onLine(String(error)),
  });
  return { port: options.port, ...process };
}

function launchHost({ port, env, onLine }: FunctionsProcessOptions): { child: Child; ready: Promise<void> } {
  const { promise: started, resolve: reportStarted } = Promise.withResolvers<'started'>();
  let failure = 'The functions host ended while it was starting.';
  const child = startChild([HOST], { ...env, FUNCTIONS_HTTP_PORT: String(port) }, (line) => {
    if (line.startsWith('{"event":"host started"')) reportStarted('started');
    if (line.includes('cannot be run')) failure = line.replace(/^critical host: /, '');
    onLine(line);
  });
  const failed = Promise.race([child.ended, pause(START_MAX_MS, undefined, { ref: false })]);
  const ready = Promise.race([started, failed]).then((result) => {
    if (result !== 'started') throw new StartError(failure);
  });
  return { child, ready };
}
