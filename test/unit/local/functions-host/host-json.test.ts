import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHostJson } from '../../../../local/functions-host/host-json.ts';
import { parseTimeSpan } from '../../../../local/functions-host/time-span.ts';

test('an empty file has the defaults of Azure', () => {
  const { routePrefix, functionTimeoutMs, queues } = parseHostJson('{"version":"2.0"}');
  expect({ routePrefix, functionTimeoutMs }).toEqual({ routePrefix: 'api', functionTimeoutMs: 1_800_000 });
  expect(queues).toMatchObject({
    batchSize: 16,
    maxPollingIntervalMs: 60_000,
    visibilityTimeoutSeconds: 0,
    maxDequeueCount: 5,
    messageEncoding: 'base64',
  });
  expect(queues.newBatchThreshold % 8).toBe(0);
});

test('reads the file of this app', () => {
  expect(parseHostJson(readFileSync('host.json', 'utf8'))).toMatchObject({
    routePrefix: '',
    queues: { batchSize: 32, newBatchThreshold: 32, maxPollingIntervalMs: 1_000, visibilityTimeoutSeconds: 30 },
  });
});

test('app settings override the file, as on the platform', () => {
  const settings = {
    AzureFunctionsJobHost__functionTimeout: '00:00:05',
    AzureFunctionsJobHost__extensions__queues__batchSize: '8',
    AzureFunctionsJobHost__singleton__listenerLockPeriod: '00:00:15',
  };
  const overridden = parseHostJson(readFileSync('host.json', 'utf8'), settings);
  expect(overridden).toMatchObject({
    functionTimeoutMs: 5_000,
    singleton: { lockPeriodMs: 15_000, recoveryPollingMs: 60_000 },
    queues: { batchSize: 8, newBatchThreshold: 32 },
  });
  const unlimited = { AzureFunctionsJobHost__functionTimeout: '-1' };
  expect(parseHostJson('{"version":"2.0"}', unlimited).functionTimeoutMs).toBeUndefined();
});

test.each([
  ['{', /^host.json is not JSON/],
  ['{}', /version/],
  ['{"version":"2.0","functionTimeout":"10 minutes"}', /functionTimeout/],
  ['{"version":"2.0","extensions":{"queues":{"batchSize":33}}}', /batchSize/],
])('refuses %s', (text, message) => {
  expect(() => parseHostJson(text)).toThrow(message);
});

test.each([
  ['00:00:01', 1_000],
  ['00:00:00.25', 250],
  ['1.02:03:04', 93_784_000],
  ['01:00', 3_600_000],
])('%s is %d ms', (text, ms) => {
  expect(parseTimeSpan(text, 'x')).toBe(ms);
});
