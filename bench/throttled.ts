import { type BenchStack, isGraph, ofChecks, startBenchStack, sumOf } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench, Row } from './support/report.ts';
import { settledRows, watchImport } from './support/watch-import.ts';

/** How many mailboxes of an unthrottled tenant tell what a mailbox needs. */
const SAMPLE = 24;

interface Options {
  mailboxes: number;
  limit: number;
  latency: number;
  'retry-after': number;
  'without-retry-after': boolean;
  'start-up': number;
  'give-up': number;
}

export const throttled: Bench = {
  usage: `throttled [--limit 600] [--mailboxes 500] [--processes 1,3] [--latency 30] [--retry-after 10]
            [--without-retry-after] [--start-up 20] [--give-up 100]
    an import into a tenant that allows \`limit\` sub-requests in 10 s. Latency in ms, the other times in seconds`,

  async run(args) {
    const { processes, ...options } = readOptions(args, {
      numbers: {
        limit: { default: 600 },
        mailboxes: { default: 500 },
        latency: { default: 30, min: 0 },
        'retry-after': { default: 10, min: 0 },
        'start-up': { default: 20, min: 0 },
        'give-up': { default: 100 },
      },
      switches: ['without-retry-after'],
      lists: { processes: [1, 3] },
    });
    const runs = [];
    for (const count of processes) runs.push(await measure(count, options));
    const hint = options['without-retry-after'] ? 'no Retry-After' : `Retry-After: ${options['retry-after']}`;
    return {
      title: `An import of ${options.mailboxes} mailboxes into a tenant that allows ${options.limit} sub-requests in 10 s (${hint}), ${options.latency} ms latency.\nGoodput counts from second ${options['start-up']} on.`,
      rows: runs.flatMap(({ rows }) => rows),
      notes: runs.map(({ note }) => note),
      details: { ...options, runs: runs.map(({ figures }) => figures) },
    };
  },
};

/** The HTTP requests and sub-requests that one mailbox needs if nobody throttles. */
async function measureCost(bench: BenchStack): Promise<{ requests: number; subRequests: number }> {
  const { muster, connectionId, tenant } = await bench.addCustomer(benchTenant(1, SAMPLE));
  await bench.resetCounts();
  const { requests } = bench.stack.simulator.world;
  const since = new Date().toISOString();
  const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, SAMPLE));
  await muster.waitForImport(id, { pollMs: 250 });
  const parts = requests.entries(since, Number.POSITIVE_INFINITY).filter((entry) => entry.inBatch);
  return { requests: sumOf(await bench.counts(), isGraph) / SAMPLE, subRequests: parts.length / SAMPLE };
}

async function measure(processes: number, options: Options) {
  const { mailboxes, limit, latency: latencyMs } = options;
  const tenant = benchTenant(2, mailboxes, {
    throttle: {
      perAppPerTenantPer10s: limit,
      retryAfterSeconds: options['retry-after'],
      omitRetryAfter: options['without-retry-after'],
    },
  });
  const bench = await startBenchStack([benchTenant(1, SAMPLE), tenant], { latencyMs, processes });
  try {
    const cost = await measureCost(bench);
    const mailboxesPerSecond = limit / 10 / cost.subRequests;
    const { muster, connectionId } = await bench.addCustomer(tenant);
    await bench.resetCounts();
    const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, mailboxes));
    const forMs = options['give-up'] * 1000;
    const { latest, hasEnded, samples } = await watchImport(muster, id, { pollMs: 1_000, forMs });
    const counts = await bench.counts();

    const settled = settledRows(latest);
    const end = samples.at(-1) ?? { seconds: 0, settled: 0 };
    const afterStartUp = samples.find(({ seconds }) => seconds >= options['start-up']) ?? end;
    const goodput = (end.settled - afterStartUp.settled) / (end.seconds - afterStartUp.seconds) / mailboxesPerSecond;
    const name = (what: string) => `${processes} ${processes === 1 ? 'process' : 'processes'}: ${what}`;
    const givenUp = latest.counts.failed + latest.counts.inconclusive;
    const rows: Row[] = [
      { operation: name('goodput ÷ limit'), measured: goodput, goal: 0.85, is: 'atLeast' },
      {
        operation: name('Graph requests ÷ necessary'),
        measured: sumOf(counts, isGraph) / settled / cost.requests,
        goal: 1.15,
      },
      { operation: name('queue puts a mailbox'), measured: sumOf(counts, ofChecks('POST')) / settled, goal: 1.2 },
      { operation: name('mailboxes given up'), measured: givenUp, goal: 0 },
      { operation: name('rows that did not end'), measured: mailboxes - settled, goal: 0 },
    ];
    const arithmetic = mailboxes / mailboxesPerSecond;
    return {
      rows,
      note: `  ${name(`${hasEnded ? 'ended' : 'stopped'} after ${end.seconds.toFixed(1)} s with ${settled} of ${mailboxes} settled. At the limit it takes ${arithmetic.toFixed(1)} s`)} (${cost.subRequests.toFixed(1)} sub-requests a mailbox).`,
      figures: { processes, seconds: end.seconds, settled, hasEnded, arithmeticSeconds: arithmetic, cost },
    };
  } finally {
    await bench.stop();
  }
}
