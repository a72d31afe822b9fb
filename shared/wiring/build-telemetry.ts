import { randomUUID } from 'node:crypto';
import { currentTraceparent } from '../adapters/telemetry/traceparent.ts';
import { traced } from '../edge/telemetry/tracing.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Settler } from '../imports/ledger/settler.ts';
import { lazyCredential } from './build-azure-clients.ts';
import type { Config } from './config.ts';

/**
 * Begins to export telemetry, if a place for it is configured. The SDK is loaded only then: it would double the time that
 * an instance needs to start. Resolves to the call that sends what is left, or to `undefined`.
 */
export async function beginTelemetry({ settings, identity }: Config): Promise<(() => Promise<void>) | undefined> {
  const connectionString = settings.APPLICATIONINSIGHTS_CONNECTION_STRING?.reveal();
  const otlpEndpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!connectionString && !otlpEndpoint) return undefined;
  const { startTelemetry } = await import('../adapters/telemetry/start-telemetry.ts');
  const isByIdentity = settings.APPLICATIONINSIGHTS_AUTHENTICATION_STRING?.includes('Authorization=AAD') === true;
  return startTelemetry({
    connectionString,
    otlpEndpoint,
    ...(isByIdentity && { credential: lazyCredential(identity) }),
    serviceName: 'muster',
    instanceId: settings.WEBSITE_INSTANCE_ID ?? randomUUID(),
  });
}

/** Imports that know the trace of the request that has started them. The sweep continues it. */
export function tracedImports(imports: ImportStore): ImportStore {
  return {
    ...imports,
    insert(record, quota) {
      const traceparent = currentTraceparent();
      return imports.insert(traceparent === undefined ? record : { ...record, traceparent }, quota);
    },
  };
}

/** Shows in a trace how long a result waits until it is written, and that it was. */
export function tracedSettler(settler: Settler): Settler {
  return {
    ...settler,
    settle: (settlement) =>
      traced({ name: 'settle-row', kind: 'internal', attributes: { 'muster.state': settlement.state } }, () =>
        settler.settle(settlement),
      ),
  };
}
