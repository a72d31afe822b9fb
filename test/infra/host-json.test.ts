import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const host = JSON.parse(readFileSync('host.json', 'utf8'));

// docs/functions-platform.md gives the reason for each value.
test('the queues are polled, batched and retried as the design counts on', () => {
  expect(host.extensions.queues).toEqual({
    batchSize: 32,
    newBatchThreshold: 16,
    maxPollingInterval: '00:00:01',
    visibilityTimeout: '00:00:30',
    maxDequeueCount: 5,
    messageEncoding: 'base64',
  });
});

test('routes stand at the root', () => {
  expect(host.extensions.http.routePrefix).toBe('');
});

test('an execution that hangs is ended after ten minutes', () => {
  expect(host.functionTimeout).toBe('00:10:00');
});

test('the queue settings are obeyed: dynamic concurrency would ignore them', () => {
  expect(host.concurrency).toBeUndefined();
});
