import { createAdmin, type Runnable } from './admin.ts';
import { type AppSettings, isDisabled } from './app-settings.ts';
import { createCore, type RegisteredFunction } from './core.ts';
import { type FunctionGroup, groupsOf, ofOwnGroup } from './function-groups.ts';
import { HostError } from './host-error.ts';
import { readHostJson } from './host-json.ts';
import { listenForHttp } from './http.ts';
import { createInvoke, triggerOf } from './invocation.ts';
import { loadApp } from './load-app.ts';
import { createHostLog } from './log.ts';
import { prepareQueueFunction } from './queue-functions.ts';
import { prepareTimerFunction } from './timer-functions.ts';

export interface Host {
  port: number;
  /** The names of the functions that this host runs: those of its group, except disabled ones. */
  functions: string[];
  /** The groups of all functions of the app that are not disabled. */
  groups: FunctionGroup[];
  /** Accepts no new work, waits up to 20 seconds for invocations in flight, then runs the `appTerminate` hooks. */
  stop(): Promise<void>;
}

const DRAIN_MAX_MS = 20_000;
const BODY_BYTES_MAX = 104_857_600;

/**
 * Runs the HTTP functions, queue triggers and timers of a built function app, like the Azure Functions host.
 * `onTimeout` is called when a function has exceeded its time limit. The host must then be stopped, and its process ended.
 *
 * @throws HostError when the app, its `host.json` or its settings cannot be run
 */
export async function startHost(appDirectory: string, settings: AppSettings, onTimeout: () => void): Promise<Host> {
  const startedAt = Date.now();
  const hostJson = readHostJson(appDirectory, settings);
  const log = createHostLog(hostJson.logLevel);
  const core = createCore(log);
  const { capabilities, failure } = await loadApp(appDirectory, core);
  // The real host runs on as well, without functions: every route is answered 404, and no queue is polled.
  if (failure !== undefined) log('error', 'host', failure);
  const invoke = createInvoke(core, log, hostJson.functionTimeoutMs, onTimeout);

  const registered = failure === undefined ? core.functions : [];
  const enabled = registered.filter((fn) => !isDisabled(fn.metadata.name, settings));
  for (const fn of enabled) refuseUnsupported(fn);
  const active = ofOwnGroup(enabled, settings);
  const ofType = (type: string) => active.filter((fn) => triggerOf(fn).type === type);
  const http = ofType('httptrigger');
  const queues = ofType('queuetrigger').map((fn) => prepareQueueFunction(fn, hostJson.queues, settings, invoke, log));
  const timers = ofType('timertrigger').map((fn) =>
    prepareTimerFunction(fn, settings, invoke, hostJson.singleton, log),
  );

  const runnables: Runnable[] = [...http.map((fn) => ({ fn, run: undefined })), ...queues, ...timers];
  const listener = await listenForHttp(
    http,
    {
      port: Number(settings.FUNCTIONS_HTTP_PORT ?? 7071),
      routePrefix: hostJson.routePrefix,
      maxBodyBytes: Number(settings.FUNCTIONS_REQUEST_BODY_SIZE_LIMIT ?? BODY_BYTES_MAX),
      masterKey: settings.FUNCTIONS_MASTER_KEY,
      streamUri: capabilities.HttpUri,
    },
    invoke,
    createAdmin(runnables, startedAt),
  );
  const running = [listener, ...queues.map((one) => one.listen()), ...timers.map((one) => one.start())];

  return {
    port: listener.port,
    functions: active.map((fn) => fn.metadata.name),
    groups: groupsOf(enabled),
    async stop() {
      const isDrained = await withinDrainTime(Promise.all(running.map((one) => one.stop())));
      if (!isDrained)
        log('warning', 'host', `invocations were still running after ${DRAIN_MAX_MS / 1000} seconds and were aborted`);
      await core.terminate(appDirectory);
    },
  };
}

/** Without an error, an unsupported trigger would never run and an unsupported output would be lost. */
function refuseUnsupported(fn: RegisteredFunction): void {
  const { name, bindings, retryOptions } = fn.metadata;
  const supported = new Set(['httptrigger', 'queuetrigger', 'timertrigger', 'http']);
  for (const { type } of Object.values(bindings)) {
    if (!supported.has(type.toLowerCase()))
      throw new HostError(`${name}: this host does not support bindings of type ${type}`);
  }
  if (retryOptions) throw new HostError(`${name}: this host does not support retry policies`);
}

async function withinDrainTime(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DRAIN_MAX_MS);
  });
  const done = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return done;
}
