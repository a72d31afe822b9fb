import { setTimeout as pause } from 'node:timers/promises';
import { startBenchStack } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import { percentile } from './support/percentile.ts';
import type { Bench } from './support/report.ts';

export const reads: Bench = {
  usage: `reads [--rate 100] [--seconds 20] [--latency 200]
    the answers to \`rate\` reads a second while an import runs. Latency in ms`,

  async run(args) {
    const options = readOptions(args, {
      numbers: { rate: { default: 100 }, seconds: { default: 20, min: 5 }, latency: { default: 200, min: 0 } },
    });
    const { times, refused } = await measure(options);
    const [p50, p99] = [percentile(times, 50), percentile(times, 99)];
    return {
      title: `${options.rate} reads a second for ${options.seconds} s, of the import, its rows and its mailboxes, while it runs.`,
      rows: [
        { operation: 'reads: p99 ÷ p50', measured: p99 / p50, goal: 5 },
        { operation: 'reads that did not answer 200', measured: refused, goal: 0 },
      ],
      notes: [`  ${times.length} reads: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`],
      details: { ...options, p50, p99 },
    };
  },
};

interface Options {
  rate: number;
  seconds: number;
  latency: number;
}

async function measure({ rate, seconds, latency }: Options): Promise<{ times: number[]; refused: number }> {
  // One import that is running all the time: one process checks 24 mailboxes in the time of two requests.
  const mailboxes = Math.ceil((24_000 / (2 * latency)) * (seconds + 15));
  const tenant = benchTenant(1, mailboxes);
  // The limits of a single key are measured by another bench.
  const settings = { REQUESTS_PER_KEY: '1000000', REQUESTS_PER_CUSTOMER: '1000000', REQUESTS_AT_ONCE: '64' };
  const bench = await startBenchStack([tenant], { latencyMs: latency, settings });
  try {
    const { muster, connectionId } = await bench.addCustomer(tenant);
    const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, mailboxes));
    const routes = [
      () => muster.imports.get(id),
      () => firstOf(muster.imports.rows(id)),
      () => firstOf(muster.mailboxes.list(connectionId)),
    ];
    const times: number[] = [];
    let refused = 0;
    async function read(number: number): Promise<void> {
      const startedAt = performance.now();
      try {
        await routes[number % routes.length]?.();
        times.push(performance.now() - startedAt);
      } catch {
        refused++;
      }
    }
    await pause(5_000);
    const under = [];
    const startedAt = performance.now();
    for (let i = 0; i < rate * seconds; i++) {
      const leftMs = startedAt + (i * 1000) / rate - performance.now();
      if (leftMs > 1) await pause(leftMs);
      under.push(read(i));
    }
    await Promise.all(under);
    return { times, refused };
  } finally {
    await bench.stop();
  }
}

/** Reads one page. */
async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
