import {
  type CoreInvocationContext,
  type FunctionCallback,
  type FunctionMetadata,
  type HookCallback,
  type HookName,
  hookNames,
  type InvocationRequest,
  type InvocationResponse,
  type LogCategory,
  type LogLevel,
  type ProgrammingModel,
} from './core-types.ts';
import type { HostLog } from './log.ts';

export interface RegisteredFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
}

export interface InvocationOutcome {
  /** What the handler returned, after the hooks. */
  result: unknown;
  response: InvocationResponse;
}

/** The worker's part of the host: supplies `@azure/functions-core` to the app and runs its functions. */
export interface Core {
  /** What the app gets from `require('@azure/functions-core')`. */
  api: object;
  functions: RegisteredFunction[];
  /** Runs the `appStart` hooks and closes registration. Resolves to the library's capabilities, such as `HttpUri`. */
  start(appDirectory: string): Promise<Record<string, string>>;
  /** Rejects with the error of the handler, of a hook, or of the conversion of the result. */
  invoke(fn: RegisteredFunction, request: InvocationRequest): Promise<InvocationOutcome>;
  terminate(appDirectory: string): Promise<void>;
}

/** Marks an error as one of the platform. The library distinguishes them from errors of the app. */
function systemError(error: Error): Error {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}

/** `@azure/functions` expects this class. `from` combines several into one. */
class Disposable {
  #release: (() => unknown) | undefined;

  constructor(release: () => unknown) {
    this.#release = release;
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  dispose(): unknown {
    const release = this.#release;
    this.#release = undefined;
    return release?.();
  }
}

export function createCore(log: HostLog): Core {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = new Map<HookName, HookCallback[]>(hookNames.map((name) => [name, []]));
  const appHookData = {};
  let model: ProgrammingModel | undefined;
  let isLocked = false;

  async function runHooks(name: HookName, context: object): Promise<void> {
    for (const callback of hooks.get(name) ?? []) await callback(context);
  }

  function write(level: LogLevel, category: LogCategory, message: string, source: string, context?: unknown): void {
    const entry = { hookData: {}, appHookData, level, category, message, invocationContext: context };
    for (const callback of hooks.get('log') ?? []) {
      try {
        callback(entry);
      } catch (error) {
        log('error', source, `a log hook failed: ${error instanceof Error ? error.message : error}`);
      }
    }
    log(entry.level, source, entry.message);
  }

  function requireModel(): ProgrammingModel {
    if (!model) throw systemError(new Error('The app registered no function.'));
    return model;
  }

  const api = {
    version: '3.13.0',
    hostVersion: '4.1044.0',
    Disposable,
    setProgrammingModel(chosen: ProgrammingModel) {
      model = chosen;
    },
    getProgrammingModel: () => model,
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      if (isLocked) throw systemError(new Error('A function can only be registered during app startup.'));
      const id = metadata.functionId ?? metadata.name;
      if (functions.has(id)) throw systemError(new Error(`A function with id "${id}" has already been registered.`));
      functions.set(id, { metadata, callback });
      return new Disposable(() => {
        if (isLocked) throw systemError(new Error('A function can only be disposed during app startup.'));
        functions.delete(id);
      });
    },
    registerHook(name: string, callback: HookCallback) {
      const callbacks = hooks.get(name as HookName);
      if (!callbacks) throw systemError(new RangeError(`Unrecognized hook "${name}"`));
      callbacks.push(callback);
      return new Disposable(() => {
        callbacks.splice(callbacks.indexOf(callback), 1);
      });
    },
    log: (level: LogLevel, category: LogCategory, message: string) => write(level, category, message, 'host'),
  };

  async function invoke(fn: RegisteredFunction, request: InvocationRequest): Promise<InvocationOutcome> {
    let userContext: unknown;
    const coreContext: CoreInvocationContext = {
      invocationId: request.invocationId,
      request,
      metadata: fn.metadata,
      state: 'preInvocationHooks',
      log: (level, category, message) => write(level, category, message, fn.metadata.name, userContext),
    };
    const invocation = requireModel().getInvocationModel(coreContext);
    const { context, inputs } = await invocation.getArguments();
    userContext = context;

    const shared = { hookData: {}, appHookData, invocationContext: context };
    const before = { ...shared, inputs, functionCallback: fn.callback };
    await runHooks('preInvocation', before);

    const after: { inputs: unknown[]; result: unknown; error: unknown } & typeof shared = {
      ...shared,
      inputs: before.inputs,
      result: null,
      error: null,
    };
    coreContext.state = 'invocation';
    try {
      after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error;
    }
    // The library warns about log lines after the invocation, except from these hooks.
    coreContext.state = 'postInvocationHooks';
    await runHooks('postInvocation', after);
    if (after.error) throw after.error;
    return { result: after.result, response: await invocation.getResponse(context, after.result) };
  }

  return {
    api,
    get functions() {
      return [...functions.values()];
    },
    async start(appDirectory) {
      await runHooks('appStart', { hookData: appHookData, appHookData, functionAppDirectory: appDirectory });
      isLocked = true;
      return (await model?.getCapabilities?.({})) ?? {};
    },
    invoke,
    terminate: (appDirectory) =>
      runHooks('appTerminate', { hookData: appHookData, appHookData, functionAppDirectory: appDirectory }),
  };
}
