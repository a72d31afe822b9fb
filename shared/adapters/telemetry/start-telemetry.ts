import type { TokenCredential } from '@azure/identity';
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { sampleChecks } from './sample-checks.ts';

export interface TelemetryOptions {
  /** Of Application Insights. */
  connectionString?: string | undefined;
  /** With it, Application Insights is reached as the app's identity. */
  credential?: TokenCredential | undefined;
  /** The address of an OTLP collector: `http://127.0.0.1:4318`. */
  otlpEndpoint?: string | undefined;
  serviceName: string;
  instanceId: string;
}

const METRICS_EVERY_MS = 60_000;

/**
 * Begins to export spans and metrics. Log lines go through the Functions host, which exports them itself.
 *
 * Only this module and what it imports knows the SDK. It is loaded only where telemetry is set up. Resolves to the call
 * that sends what is left and stops.
 */
export function startTelemetry(options: TelemetryOptions): () => Promise<void> {
  const { connectionString, credential, otlpEndpoint, serviceName, instanceId } = options;
  const resource = resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': instanceId });
  const spanExporters: SpanExporter[] = [];
  const metricExporters: PushMetricExporter[] = [];
  if (connectionString) {
    const azure = { connectionString, ...(credential && { credential }) };
    spanExporters.push(new AzureMonitorTraceExporter(azure));
    metricExporters.push(new AzureMonitorMetricExporter(azure));
  }
  if (otlpEndpoint) {
    const base = otlpEndpoint.replace(/\/$/, '');
    spanExporters.push(new OTLPTraceExporter({ url: `${base}/v1/traces` }));
    metricExporters.push(new OTLPMetricExporter({ url: `${base}/v1/metrics` }));
  }
  const tracers = new BasicTracerProvider({
    resource,
    sampler: sampleChecks(),
    spanProcessors: spanExporters.map((exporter) => new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1_000 })),
  });
  const meters = new MeterProvider({
    resource,
    readers: metricExporters.map(
      (exporter) => new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: METRICS_EVERY_MS }),
    ),
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  return async () => void (await Promise.allSettled([tracers.shutdown(), meters.shutdown()]));
}
