import { startBenchStack } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench } from './support/report.ts';
import { watchImport } from './support/watch-import.ts';

const POLL_MS = 100;

export const sizes: Bench = {
  usage: `sizes [--sizes 20,100,1000,10000] [--latency 30]
    imports of several sizes, one after the other, from upload to end. Latency in ms`,

  async run(args) {
    const options = readOptions(args, {
      numbers: { latency: { default: 30, min: 0 } },
      lists: { sizes: [20, 100, 1_000, 10_000] },
    });
    const runs = await measure(options.sizes, options.latency);
    const [largest, before] = runs.toReversed();
    const eachOf = (run: (typeof runs)[number] | undefined) => (run ? run.seconds / run.size : Number.NaN);
    return {
      title: `Imports of ${options.sizes.join(', ')} mailboxes at ${options.latency} ms latency, with one functions process.`,
      rows: [
        {
          operation: `time for each mailbox: ${largest?.size} ÷ ${before?.size}`,
          measured: eachOf(largest) / eachOf(before),
          goal: 1.3,
        },
      ],
      notes: runs.map(
        ({ size, seconds }) => `  ${size} in ${seconds.toFixed(1)} s: ${(size / seconds).toFixed(1)} a second`,
      ),
      details: { ...options, runs },
    };
  },
};

async function measure(allSizes: readonly number[], latencyMs: number): Promise<{ size: number; seconds: number }[]> {
  const tenants = [20, ...allSizes].map((size, index) => benchTenant(index + 1, size));
  const bench = await startBenchStack(tenants, { latencyMs });
  const runs = [];
  try {
    for (const [index, tenant] of tenants.entries()) {
      const size = [20, ...allSizes][index] ?? 0;
      const { muster, connectionId } = await bench.addCustomer(tenant);
      const startedAt = performance.now();
      const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, size));
      const { latest } = await watchImport(muster, id, { pollMs: POLL_MS, forMs: 600_000 });
      if (latest.counts.passed !== size) throw new Error(`the import ended with ${JSON.stringify(latest.counts)}`);
      runs.push({ size, seconds: (performance.now() - startedAt) / 1000 });
    }
  } finally {
    await bench.stop();
  }
  // The first import opens connections and gets tokens.
  return runs.slice(1);
}
