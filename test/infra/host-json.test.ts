import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const host = JSON.parse(readFileSync('host.json', 'utf8'));

// docs/functions-platform.md gives the reason for each value.
test('queues are polled, batched and retried as documented', () => {
  expect(host.extensions.queues).toEqual({
    batchSize: 32,
    newBatchThreshold: 32,
    maxPollingInterval: '00:00:01',
    visibilityTimeout: '00:00:30',
    maxDequeueCount: 5,
    messageEncoding: 'base64',
  });
});

test('routes have no prefix', () => {
  expect(host.extensions.http.routePrefix).toBe('');
});

test('a hanging execution ends after ten minutes', () => {
  expect(host.functionTimeout).toBe('00:10:00');
});

test('dynamic concurrency is off, because it would ignore the queue settings', () => {
  expect(host.concurrency).toBeUndefined();
});
