import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { leaveOutTelemetry } from '../../../local/azurite-telemetry.ts';

test('Azurite loads nothing of the library of its telemetry, and runs without it', () => {
  leaveOutTelemetry();
  const require = createRequire(import.meta.url);
  const { AzuriteTelemetryClient: client } = require('azurite/dist/src/common/Telemetry.js');
  client.init('', false, {});
  client.TraceStartEvent('Blob');
  const loaded = Object.entries(require.cache).filter(([, module]) => Object.keys(module?.exports ?? {}).length > 0);
  const paths = loaded.map(([path]) => path);
  expect(paths.some((path) => path.includes('/azurite/'))).toBe(true);
  expect(paths.filter((path) => /applicationinsights|opentelemetry/.test(path))).toEqual([]);
});
