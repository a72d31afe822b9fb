import { setTimeout as pause } from 'node:timers/promises';
import type { RequestCount } from '../local/request-count.ts';
import { type BenchStack, isTable, startBenchStack, sumOf } from './support/bench-stack.ts';
import { type BenchTenant, benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench, Row } from './support/report.ts';

/** So slow that hardly any row is checked before the import is cancelled. */
const LATENCY_MS = 2_000;
const POLL_MS = 500;
/** How many reads tell what one of them costs. */
const READS = 10;

export const cancel: Bench = {
  usage: `cancel [--rows 1000,7000] [--give-up 120]
    imports that are cancelled when all their rows are planned; times in seconds`,

  async run(args) {
    const options = readOptions(args, { numbers: { 'give-up': { default: 120 } }, lists: { rows: [1_000, 7_000] } });
    const tenants = options.rows.map((rows, index) => benchTenant(index + 1, rows));
    const bench = await startBenchStack(tenants, { latencyMs: LATENCY_MS });
    const runs = [];
    try {
      for (const [index, rows] of options.rows.entries()) {
        const tenant = tenants[index];
        if (tenant) runs.push(await measure(bench, tenant, rows, options['give-up'] * 1000));
      }
    } finally {
      await bench.stop();
    }
    return {
      title:
        'Table requests for each row that is cancelled. All requests of the app count, except the reads that poll.',
      rows: [
        ...runs.flatMap(({ rows, each, open }) => [
          { operation: `${rows} rows: table requests a row`, measured: each, goal: 0.12 },
          { operation: `${rows} rows: rows that stayed open`, measured: open, goal: 0 },
        ]),
        ...growthOf(runs),
      ],
      notes: runs.map(
        ({ rows, cancelled, seconds }) => `  ${rows} rows: ${cancelled} cancelled in ${seconds.toFixed(1)} s`,
      ),
      details: { ...options, runs },
    };
  },
};

/** Whether the largest import takes longer for each row than the smallest one. */
function growthOf(runs: readonly { rows: number; seconds: number }[]): Row[] {
  const [smallest, ...others] = runs.toSorted((a, b) => a.rows - b.rows);
  const largest = others.at(-1);
  if (!smallest || !largest) return [];
  const operation = `time a row at ${largest.rows} rows ÷ at ${smallest.rows}`;
  return [{ operation, measured: largest.seconds / largest.rows / (smallest.seconds / smallest.rows), goal: 1.3 }];
}

async function measure(bench: BenchStack, tenant: BenchTenant, rows: number, forMs: number) {
  const { muster, connectionId } = await bench.addCustomer(tenant);
  const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, rows));
  while ((await muster.imports.get(id)).counts.accepted < rows) await pause(POLL_MS);
  const requestsOfARead = await measureReads(bench, () => muster.imports.get(id));

  await bench.resetCounts();
  const startedAt = performance.now();
  await muster.imports.cancel(id);
  let reads = 1;
  let latest = await muster.imports.get(id);
  while (latest.status !== 'cancelled' && performance.now() - startedAt < forMs) {
    await pause(POLL_MS);
    latest = await muster.imports.get(id);
    reads++;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const requests = sumOf(await bench.counts(), isTable) - reads * requestsOfARead;
  const { cancelled, pending, waiting } = latest.counts;
  return { rows, cancelled, seconds, requests, each: requests / cancelled, open: pending + waiting };
}

/** How many table requests a read of the progress costs while the import is running. */
async function measureReads(bench: BenchStack, read: () => Promise<unknown>): Promise<number> {
  await bench.resetCounts();
  for (let i = 0; i < READS; i++) await read();
  const reads = ({ method, route }: RequestCount) => method === 'GET' && /^(imports|mailboxes)\(/.test(route);
  return sumOf(await bench.counts(), (count) => isTable(count) && reads(count)) / READS;
}
