import { text } from 'node:stream/consumers';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { createTokens } from '../../shared/adapters/entra/client-credential-tokens.ts';
import { createClouds } from '../../shared/adapters/entra/clouds.ts';
import { tableConnections } from '../../shared/adapters/tables/table-connections.ts';
import type { Cloud } from '../../shared/connections/connection.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { tables } from '../../shared/kernel/storage-names.ts';
import { buildChecker } from '../../shared/wiring/build-checker.ts';
import { runBareLoop } from './bare-loop.ts';
import type { BareLoopTask } from './start-bare-loop.ts';

/** The process of the bare loop. Writes a line of JSON after each transaction: when, and how many are settled. */
const task: BareLoopTask = JSON.parse(await text(process.stdin));
const options = { allowInsecureConnection: true };
const { connectionString, customerId, connectionId, clientSecret, addresses, checksMax } = task;

const stored = await tableConnections(
  TableClient.fromConnectionString(connectionString, tables.connections, options),
).get(customerId, connectionId);
if (!stored) throw new Error('there is no such connection');
const table = TableClient.fromConnectionString(connectionString, 'bareloop', options);
const queue = new QueueClient(connectionString, 'bare-loop');
await Promise.all([table.createTable(), queue.createIfNotExists()]);

const endpoints = createClouds(task.simulator);
const clouds = (cloud: Cloud) => {
  const found = endpoints(cloud);
  if (!found) throw new Error(`the cloud ${cloud} is not configured`);
  return found;
};
const vault = { get: async () => new Secret(clientSecret) };
const certificates = { sign: async () => undefined };
const tokens = createTokens({ vault, certificates, clouds, clock: systemClock, timeoutMs: 30_000 });
const { checker } = buildChecker({
  tokens,
  clouds,
  clock: systemClock,
  settings: { CHECK_TIMEOUT: 30_000, CONNECTION_TEST_STEP: 30_000 },
});
const onSettled = (settled: number) => console.log(JSON.stringify({ seconds: performance.now() / 1000, settled }));
await runBareLoop({ table, queue, checker, connection: stored.value, onSettled }, addresses, checksMax);
