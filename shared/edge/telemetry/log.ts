import type { InvocationContext } from '@azure/functions';
import type { Log } from '../../kernel/log.ts';
import { measure } from './measure.ts';
import { currentTraceId } from './tracing.ts';

type Sink = Pick<InvocationContext, 'debug' | 'info' | 'warn' | 'error'>;

/**
 * A `Log` that writes one JSON line per call to the invocation: `event` first, then the `bound` fields, then the
 * fields of the call. With telemetry, `traceId` names the trace, and the numbers of signals become metrics. Errors become name, message, stack and causes. A `Secret` prints its placeholder. Never throws.
 */
export function createLog(sink: Sink, bound: Record<string, unknown> = {}): Log {
  return (level, event, fields = {}) => {
    const traceId = currentTraceId();
    const all = { ...bound, ...(traceId !== undefined && { traceId }), ...fields };
    measure(event, all);
    let line: string;
    try {
      line = JSON.stringify({ event, ...all }, plain);
    } catch (error) {
      line = JSON.stringify({ event, ...bound, unprintable: String(error) });
    }
    sink[level](line);
  };
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  // Listed, never spread: errors of the Azure SDK contain the whole request with its credentials.
  const { name, message, stack, cause } = value;
  const context = 'context' in value ? value.context : undefined;
  return { name, message, stack, ...(context !== undefined && { context }), ...(cause !== undefined && { cause }) };
}
