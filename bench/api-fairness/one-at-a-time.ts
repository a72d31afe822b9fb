import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { BenchCustomer } from './bench-customer.ts';
import { send } from './send.ts';

export interface ReadTimes {
  /** How long each read took that was answered 200. */
  ms: number[];
  /** How many reads were answered 429. */
  refused: number;
}

/** Below the rate limit of a key, so that no read is refused. */
const EVERY_MS = 40;

/** A worker thread that reads one thing after another for some time. Any answer but 200 and 429 ends it. */
const { customer, forMs } = workerData as { customer: BenchCustomer; forMs: number };
const { customerId, connectionId, importId, address } = customer.ids;
const paths = [
  '/v1/me',
  `/v1/customers/${customerId}`,
  `/v1/customers/${customerId}/api-keys`,
  '/v1/connections',
  `/v1/connections/${connectionId}`,
  `/v1/connections/${connectionId}/imports`,
  `/v1/imports/${importId}`,
  `/v1/imports/${importId}/rows`,
  `/v1/connections/${connectionId}/mailboxes`,
  `/v1/connections/${connectionId}/mailboxes/${address}`,
  '/v1/expiring-secrets',
];
const times: ReadTimes = { ms: [], refused: 0 };
const endsAt = performance.now() + forMs;
for (let i = 0; performance.now() < endsAt; i++) {
  const path = paths[i % paths.length] ?? '';
  const startedAt = performance.now();
  const { status, text } = await send(customer.apiUrl, customer.key, 'GET', path);
  if (status === 200) times.ms.push(performance.now() - startedAt);
  else if (status === 429) times.refused++;
  else throw new Error(`GET ${path} answered ${status}: ${text}`);
  await pause(Math.max(0, startedAt + EVERY_MS - performance.now()));
}
parentPort?.postMessage(times);
