import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createMuster } from '../../clients/typescript/src/index.ts';
import { demoScenario } from '../../local/demo/scenario.ts';
import { parseScenario } from '../../local/microsoft365/scenario.ts';
import { startStack } from '../../local/stack.ts';
import { type BenchCustomer, createBenchCustomer } from './bench-customer.ts';
import type { FullSpeedResult } from './full-speed.ts';
import type { ReadTimes } from './one-at-a-time.ts';
import { TENANT_SIZE } from './route-calls.ts';

/** How many requests the busy customer has under way at any time. */
export const CONNECTIONS = 32;
/** The first requests compile code and open connections. */
const WARM_UP_MS = 5_000;

export interface Fairness {
  alone: ReadTimes;
  beside: ReadTimes;
  fullSpeed: FullSpeedResult;
}

/**
 * Measures the reads of one customer, first alone and then beside another one who calls every route at full speed, each
 * for `forMs`. Everything is the real stack. Each customer has a thread of its own, so that neither waits for the other
 * before its request is sent.
 */
export async function measureFairness(forMs: number): Promise<Fairness> {
  const demo = demoScenario(TENANT_SIZE, { latencyMs: 20 });
  for (const app of demo.scenario.tenants[0]?.apps ?? []) app.consent = 'granted';
  const stack = await startStack({ port: 0, scenario: parseScenario(demo.scenario), isApart: true });
  try {
    const { apiUrl, operatorKey } = stack.local();
    const operator = createMuster({ url: apiUrl, key: operatorKey });
    const busy = await createBenchCustomer(operator, apiUrl, 'Customer A', demo.main);
    const quiet = await createBenchCustomer(operator, apiUrl, 'Customer B', demo.main);
    await readFor(quiet, WARM_UP_MS);
    const alone = await readFor(quiet, forMs);
    const stop = startFullSpeed(busy);
    await pause(WARM_UP_MS);
    const beside = await readFor(quiet, forMs);
    return { alone, beside, fullSpeed: await stop() };
  } finally {
    await stack.stop();
  }
}

function readFor(customer: BenchCustomer, forMs: number): Promise<ReadTimes> {
  return result(new Worker(new URL('one-at-a-time.ts', import.meta.url), { workerData: { customer, forMs } }));
}

/** Returns the function that ends the load. */
function startFullSpeed(customer: BenchCustomer): () => Promise<FullSpeedResult> {
  const workerData = { customer, connections: CONNECTIONS };
  const worker = new Worker(new URL('full-speed.ts', import.meta.url), { workerData });
  const ended = result<FullSpeedResult>(worker);
  return () => {
    worker.postMessage('stop');
    return ended;
  };
}

/** Rejects if the thread fails: `once` rejects at the event `error`. */
async function result<T>(worker: Worker): Promise<T> {
  const [message] = await once(worker, 'message');
  return message as T;
}
