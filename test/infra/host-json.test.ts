import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// docs/functions-platform.md gives the reason for each value. Without a bundle no queue is read; without the telemetry mode
// no trace arrives; with dynamic concurrency (`concurrency`) the host would ignore the settings of the queues.
test('host.json is exactly this', () => {
  expect(JSON.parse(readFileSync('host.json', 'utf8'))).toEqual({
    version: '2.0',
    extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.38.0, 5.0.0)' },
    functionTimeout: '00:10:00',
    telemetryMode: 'OpenTelemetry',
    logging: { logLevel: { default: 'Information', 'Azure.Core': 'Warning' } },
    extensions: {
      http: { routePrefix: '' },
      queues: {
        maxPollingInterval: '00:00:01',
        visibilityTimeout: '00:00:30',
        batchSize: 32,
        newBatchThreshold: 32,
        maxDequeueCount: 5,
        messageEncoding: 'base64',
      },
    },
  });
});
