import { randomBytes, randomUUID } from 'node:crypto';
import type { Core, InvocationOutcome, RegisteredFunction } from './core.ts';
import type { InvocationRequest, TypedData } from './core-types.ts';
import { describeError, type HostLog } from './log.ts';

export interface InvocationInput {
  invocationId?: string;
  data: TypedData;
  triggerMetadata?: Record<string, TypedData>;
  traceParent?: string | undefined;
  traceState?: string | undefined;
}

/** Runs a function with the input of its trigger. Logs a failure once, and rejects with it. */
export type Invoke = (fn: RegisteredFunction, input: InvocationInput) => Promise<InvocationOutcome>;

/** The binding that starts the function. Its type ends in `Trigger`. */
export function triggerOf(fn: RegisteredFunction): { name: string; type: string; options: Record<string, unknown> } {
  for (const [name, binding] of Object.entries(fn.metadata.bindings)) {
    if (/trigger$/i.test(binding.type)) return { name, type: binding.type.toLowerCase(), options: binding };
  }
  throw new Error(`${fn.metadata.name} has no trigger`);
}

/**
 * Runs functions until one of them exceeds the time limit. Then the platform restarts the worker process, because it
 * cannot stop a function in it. So every invocation in flight fails, later ones are refused, and `onTimeout` is called.
 */
export function createInvoke(
  core: Core,
  log: HostLog,
  timeoutMs: number | undefined,
  onTimeout: () => void = () => undefined,
): Invoke {
  const inFlight = new Set<(error: Error) => void>();
  let ending: Error | undefined;

  function endAll(error: Error): void {
    if (ending) return;
    ending = new Error(`The process was ended: ${error.message}`);
    for (const fail of inFlight) fail(ending);
    onTimeout();
  }

  function run(fn: RegisteredFunction, request: InvocationRequest): Promise<InvocationOutcome> {
    if (ending) return Promise.reject(ending);
    const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
    inFlight.add(reject);
    const overdue = () => {
      const error = new Error(`Timeout value of ${timeoutMs} ms was exceeded by function: ${fn.metadata.name}`);
      reject(error);
      endAll(error);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(overdue, Math.min(timeoutMs, 2 ** 31 - 1));
    core.invoke(fn, request).then(resolve, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      inFlight.delete(reject);
    });
  }

  return async (fn, input) => {
    const invocationId = input.invocationId ?? randomUUID();
    const request: InvocationRequest = {
      invocationId,
      functionId: fn.metadata.functionId ?? fn.metadata.name,
      inputData: [{ name: triggerOf(fn).name, data: input.data }],
      triggerMetadata: input.triggerMetadata ?? {},
      traceContext: {
        traceParent: input.traceParent ?? newTraceParent(),
        traceState: input.traceState ?? '',
        attributes: {},
      },
    };
    try {
      return await run(fn, request);
    } catch (error) {
      log('error', fn.metadata.name, `failed (${invocationId}): ${describeError(error)}`);
      throw error;
    }
  };
}

function newTraceParent(): string {
  const random = randomBytes(24).toString('hex');
  return `00-${random.slice(0, 32)}-${random.slice(32)}-01`;
}
