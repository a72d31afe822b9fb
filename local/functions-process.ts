import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import type { FunctionGroup } from './functions-host/function-groups.ts';
import { StartError } from './start-error.ts';
import { type SupervisedChild, superviseChild } from './supervised-child.ts';

const HOST = fileURLToPath(new URL('./functions-host/main.ts', import.meta.url));
const START_MAX_MS = 30_000;
/** The host gives invocations in flight 20 seconds to finish. */
const STOP_MAX_MS = 25_000;

/** The functions host with the built app in it. It is restarted when it dies, as in Azure. */
export interface FunctionsProcess extends SupervisedChild {
  readonly port: number;
  /** The groups of all functions of the app. */
  groups(): readonly FunctionGroup[];
}

interface FunctionsProcessOptions {
  port: number;
  env: Record<string, string | undefined>;
  onLine: (line: string) => void;
  onRestart?: () => void;
}

/** Resolves once the app answers. Rejects with a `StartError` in the host's own words when it cannot run the app. */
export async function startFunctions(options: FunctionsProcessOptions): Promise<FunctionsProcess> {
  let groups: readonly FunctionGroup[] = [];
  const process = await superviseChild({
    launch() {
      const { child, started } = launchHost(options);
      const ready = started.then((found) => {
        groups = found;
      });
      return { child, ready };
    },
    stopMaxMs: STOP_MAX_MS,
    onRestart: options.onRestart,
    onFailure: (error) => options.onLine(String(error)),
  });
  return { port: options.port, groups: () => groups, ...process };
}

function launchHost({ port, env, onLine }: FunctionsProcessOptions): {
  child: Child;
  started: Promise<readonly FunctionGroup[]>;
} {
  const { promise: announced, resolve: announce } = Promise.withResolvers<{ groups: readonly FunctionGroup[] }>();
  let failure: string | undefined;
  const child = startChild([HOST], { ...env, FUNCTIONS_HTTP_PORT: String(port) }, (line) => {
    if (line.startsWith('{"event":"host started"')) announce(JSON.parse(line));
    failure ??= failureIn(line);
    onLine(line);
  });
  const failed = Promise.race([child.ended, pause(START_MAX_MS, undefined, { ref: false })]);
  const started = Promise.race([announced, failed]).then((result) => {
    // An app that cannot start may run all the same: without functions, or with those that say why.
    if (!result || failure !== undefined) {
      throw new StartError(failure ?? 'The functions host ended while it was starting.');
    }
    return result.groups;
  });
  return { child, started };
}

/** Why the app cannot start, if this line of the host or of the app says so. */
function failureIn(line: string): string | undefined {
  if (line.startsWith('{"event":"not_configured"')) return JSON.parse(line).error.message;
  return /^(?:critical host: (?=.*cannot be run)|error host: (?=Worker was unable to load))(.*)$/.exec(line)?.[1];
}
