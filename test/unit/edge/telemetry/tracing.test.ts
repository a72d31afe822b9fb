import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { sampleChecks } from '../../../../shared/adapters/telemetry/sample-checks.ts';
import { currentTraceparent } from '../../../../shared/adapters/telemetry/traceparent.ts';
import { createLog } from '../../../../shared/edge/telemetry/log.ts';
import { currentTraceId, traced } from '../../../../shared/edge/telemetry/tracing.ts';

const exporter = new InMemorySpanExporter();
let time = 0;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

it('without telemetry the work runs as it is, and nothing of it is in messages or log lines', async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ debug: write, info: write, warn: write, error: write });
  const result = await traced({ name: 'check-mailbox', kind: 'consumer', parent: PARENT }, async () => {
    log('info', 'ran');
    return currentTraceId();
  });
  expect([result, currentTraceparent()]).toEqual([undefined, undefined]);
  expect(lines).toEqual(['{"event":"ran"}']);
});

it('without telemetry an error passes unchanged', async () => {
  const error = new Error('unchanged');
  const failing = traced({ name: 'x', kind: 'internal' }, async () => {
    throw error;
  });
  await expect(failing).rejects.toBe(error);
});

// The next tests have telemetry. It is set up after the tests without it.
const setUp = () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ sampler: sampleChecks(() => time), spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
};
let isSetUp = false;
beforeAll(() => exporter.reset());
afterEach(() => {
  exporter.reset();
});
afterAll(() => {
  trace.disable();
  context.disable();
});
const withTelemetry = (name: string, test: () => Promise<void>) =>
  it(name, async () => {
    if (!isSetUp) setUp();
    isSetUp = true;
    await test();
  });

withTelemetry('work continues the trace of what has caused it, and hands it on', async () => {
  const handedOn = await traced({ name: 'plan-import', kind: 'consumer', parent: PARENT }, () =>
    traced({ name: 'inner', kind: 'internal' }, async () => currentTraceparent()),
  );
  const [inner, outer] = exporter.getFinishedSpans();
  expect(outer).toMatchObject({ name: 'plan-import', parentSpanContext: { spanId: 'b7ad6b7169203331' } });
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  expect(handedOn).toBe(`00-${TRACE}-${inner?.spanContext().spanId}-01`);
});

withTelemetry('a text that is no traceparent begins a new trace', async () => {
  for (const parent of [
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `ff-${TRACE}-b7ad6b7169203331-01`,
  ]) {
    await traced({ name: 'x', kind: 'consumer', parent }, async () => undefined);
  }
  for (const span of exporter.getFinishedSpans()) expect(span.parentSpanContext).toBeUndefined();
});

withTelemetry('an error leaves its type in the span, and nothing that it says', async () => {
  const failing = traced({ name: 'x', kind: 'internal' }, async () => {
    throw new TypeError('jane@contoso.com');
  });
  await expect(failing).rejects.toThrow('jane');
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({ attributes: { 'error.type': 'TypeError' }, events: [] });
  expect(JSON.stringify([span?.status, span?.attributes, span?.events])).not.toContain('jane');
});

withTelemetry('a log line names the trace', async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ debug: write, info: write, warn: write, error: write });
  await traced({ name: 'x', kind: 'consumer', parent: PARENT }, async () => log('info', 'ran'));
  expect(JSON.parse(lines[0] ?? '')).toEqual({ event: 'ran', traceId: TRACE });
});

withTelemetry('a process records twenty checks at once and two a second after that, and everything else', async () => {
  const check = () => traced({ name: 'check-mailbox', kind: 'consumer', parent: PARENT }, async () => undefined);
  time = 1_000_000;
  for (let i = 0; i < 100; i++) await check();
  expect(exporter.getFinishedSpans()).toHaveLength(20);
  time += 5_000;
  for (let i = 0; i < 100; i++) await check();
  expect(exporter.getFinishedSpans()).toHaveLength(30);
  await traced({ name: 'dispatch-checks', kind: 'consumer', parent: PARENT }, async () => undefined);
  expect(exporter.getFinishedSpans()).toHaveLength(31);
  const unsampled = PARENT.replace(/01$/, '00');
  await traced({ name: 'dispatch-checks', kind: 'consumer', parent: unsampled }, async () => undefined);
  expect(exporter.getFinishedSpans()).toHaveLength(31);
});
