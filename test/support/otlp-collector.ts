import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes?: { key: string; value: unknown }[];
}

/** A collector of OTLP over HTTP, in JSON. */
export interface OtlpCollector {
  url: string;
  spans: ReceivedSpan[];
  metricNames: Set<string>;
  /** Everything that was sent to it. */
  texts: string[];
  stop(): Promise<void>;
}

interface Traces {
  resourceSpans?: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
}
interface Metrics {
  resourceMetrics?: { scopeMetrics: { metrics: { name: string }[] }[] }[];
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const metricNames = new Set<string>();
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    texts.push(text);
    const body: Traces & Metrics = JSON.parse(text);
    for (const { scopeSpans } of body.resourceSpans ?? []) for (const scope of scopeSpans) spans.push(...scope.spans);
    for (const { scopeMetrics } of body.resourceMetrics ?? []) {
      for (const { metrics } of scopeMetrics) for (const { name } of metrics) metricNames.add(name);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    metricNames,
    texts,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
