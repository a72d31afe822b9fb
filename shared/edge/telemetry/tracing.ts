import { ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/** Where a piece of work belongs in a trace. */
export interface TracedWork {
  /** What is done, in few different words: the name of the function. */
  name: string;
  kind: 'server' | 'consumer' | 'internal';
  /** The W3C `traceparent` of what has caused it. */
  parent?: string | undefined;
  /** That of something else that belongs to it. */
  link?: string | undefined;
  attributes?: Record<string, string | number>;
}

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

/**
 * Does the work in a span of its own. What the work sends on queues belongs to the same trace. Costs next to nothing while
 * no telemetry is set up. Never pass an address, a secret or a query.
 */
export async function traced<Result>(
  { name, kind, parent, link, attributes = {} }: TracedWork,
  work: (note: (attributes: Record<string, string | number>) => void) => Promise<Result>,
): Promise<Result> {
  const [parentContext, linked] = [spanContextOf(parent), spanContextOf(link)];
  const options = { kind: KINDS[kind], attributes, ...(linked && { links: [{ context: linked }] }) };
  const context = parentContext && trace.setSpanContext(ROOT_CONTEXT, parentContext);
  const run = async (span: ReturnType<typeof tracer.startSpan>): Promise<Result> => {
    try {
      return await work((more) => void span.setAttributes(more));
    } catch (error) {
      // The message of an error may hold anything.
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
      throw error;
    } finally {
      span.end();
    }
  };
  const tracer = trace.getTracer('muster');
  return context ? tracer.startActiveSpan(name, options, context, run) : tracer.startActiveSpan(name, options, run);
}

/** The ID of the trace that this work belongs to. `undefined` without telemetry. */
export function currentTraceId(): string | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  return context && trace.isSpanContextValid(context) ? context.traceId : undefined;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** `undefined` if the text is no `traceparent`: https://www.w3.org/TR/trace-context/#traceparent-header */
function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.isSpanContextValid(context) ? context : undefined;
}
