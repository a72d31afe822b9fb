import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { BenchCustomer } from './bench-customer.ts';
import { callsOf, type Document, type RouteCall } from './route-calls.ts';
import { send } from './send.ts';

export interface FullSpeedResult {
  requests: number;
  perSecond: number;
  /** How many answers had each status. `none`: the connection ended without an answer. */
  statuses: Record<string, number>;
}

/** A worker thread that calls every route again and again, on this number of connections, until it gets a message. */
const { customer, connections } = workerData as { customer: BenchCustomer; connections: number };
const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document;
const statuses: Record<string, number> = {};
const startedAt = performance.now();
let isStopped = false;
let round = 0;
let queue: RouteCall[] = [];

function next(): RouteCall {
  if (queue.length === 0) queue = callsOf(document, customer, round++);
  return queue.shift() as RouteCall;
}

async function callUntilStopped(): Promise<void> {
  while (!isStopped) {
    const { method, path, ...call } = next();
    const status = await send(customer.apiUrl, customer.key, method, path, call).then(
      (answer) => String(answer.status),
      () => 'none',
    );
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
}

parentPort?.once('message', () => {
  isStopped = true;
});
await Promise.all(Array.from({ length: connections }, callUntilStopped));
const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0);
const perSecond = requests / ((performance.now() - startedAt) / 1000);
parentPort?.postMessage({ requests, perSecond, statuses } satisfies FullSpeedResult);
