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

export function createInvoke(core: Core, log: HostLog, timeoutMs: number | undefined): Invoke {
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
      return await withTimeout(timeoutMs, core.invoke(fn, request));
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

/** As in Azure, a timeout does not stop the function. The host only stops waiting for it. */
async function withTimeout<T>(timeoutMs: number | undefined, work: Promise<T>): Promise<T> {
  if (timeoutMs === undefined) return await work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const overdue = () => reject(new Error(`Timeout value of ${timeoutMs} ms exceeded by function`));
    timer = setTimeout(overdue, Math.min(timeoutMs, 2 ** 31 - 1));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
