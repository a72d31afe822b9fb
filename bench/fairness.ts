import { setTimeout as pause } from 'node:timers/promises';
import { type BenchCustomer, startBenchStack } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import { percentile } from './support/percentile.ts';
import type { Bench } from './support/report.ts';
import { settledRows } from './support/watch-import.ts';

const POLL_MS = 100;
const UPLOADS_AT_ONCE = 8;

export const fairness: Bench = {
  usage: `fairness [--small 20] [--runs 3] [--large 20000] [--others 100] [--other-rows 50] [--processes 1]
            [--latency 30] [--give-up 30]
    a small import alone, and beside a large one of another customer and many of a third one. Latency in ms, the
    longest wait for a small import in seconds`,

  async run(args) {
    const options = readOptions(args, {
      numbers: {
        small: { default: 20 },
        runs: { default: 3 },
        large: { default: 20_000 },
        others: { default: 100 },
        'other-rows': { default: 50 },
        processes: { default: 1 },
        latency: { default: 30, min: 0 },
        'give-up': { default: 30 },
      },
    });
    const { alone, beside, startSeconds, largeSettled } = await measure(options);
    const ratio = percentile(beside, 50) / percentile(alone, 50);
    const show = (seconds: readonly number[]) => seconds.map((value) => value.toFixed(1)).join(', ');
    return {
      title: `An import of ${options.small} mailboxes alone, and beside another customer's import of ${options.large} and a third one's ${options.others} imports of ${options['other-rows']}.`,
      rows: [
        { operation: 'median time beside others ÷ alone', measured: ratio, goal: 3 },
        {
          operation: 'longest time beside others ÷ median alone',
          measured: Math.max(...beside) / percentile(alone, 50),
          goal: 5,
        },
      ],
      notes: [
        `  alone ${show(alone)} s; beside others ${show(beside)} s (at most ${options['give-up']} s are measured)`,
        `  starting the ${options.others} imports took ${startSeconds.toFixed(1)} s`,
        `  the large import settled ${largeSettled} mailboxes in the meantime`,
      ],
      details: { ...options, alone, beside, startSeconds, largeSettled },
    };
  },
};

interface Options {
  small: number;
  runs: number;
  large: number;
  others: number;
  'other-rows': number;
  processes: number;
  latency: number;
  'give-up': number;
}

async function measure(options: Options) {
  const { small, runs, large, others, 'other-rows': otherRows } = options;
  const tenants = [
    benchTenant(1, (2 * runs + 1) * small),
    benchTenant(2, large),
    benchTenant(3, others * otherRows),
  ] as const;
  const bench = await startBenchStack(tenants, { latencyMs: options.latency, processes: options.processes });
  try {
    const quiet = await bench.addCustomer(tenants[0]);
    const busy = await bench.addCustomer(tenants[1]);
    const third = await bench.addCustomer(tenants[2]);
    // An import of known mailboxes is cheap, so each takes the next ones. The first import opens connections.
    let from = 1;
    const runSmall = async () => {
      const seconds = await timeImport(quiet, from, small, options['give-up'] * 1000);
      from += small;
      return seconds;
    };
    await runSmall();
    const alone: number[] = [];
    while (alone.length < runs) alone.push(await runSmall());

    const { id } = await busy.muster.imports.start(busy.connectionId, csvOf(busy.tenant.domain, 1, large));
    const startedAt = performance.now();
    await startMany(third, others, otherRows);
    const startSeconds = (performance.now() - startedAt) / 1000;
    while (settledRows(await busy.muster.imports.get(id)) === 0) await pause(POLL_MS);
    const beside: number[] = [];
    while (beside.length < runs) beside.push(await runSmall());
    return { alone, beside, startSeconds, largeSettled: settledRows(await busy.muster.imports.get(id)) };
  } finally {
    await bench.stop();
  }
}

/** The seconds from the upload of an import to its end. */
async function timeImport(customer: BenchCustomer, from: number, rows: number, forMs: number): Promise<number> {
  const { muster, connectionId, tenant } = customer;
  const startedAt = performance.now();
  const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, from, from + rows - 1));
  while (performance.now() - startedAt < forMs) {
    const { status } = await muster.imports.get(id);
    if (status === 'completed') break;
    await pause(POLL_MS);
  }
  return (performance.now() - startedAt) / 1000;
}

async function startMany({ muster, connectionId, tenant }: BenchCustomer, count: number, rows: number): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) =>
    csvOf(tenant.domain, index * rows + 1, (index + 1) * rows),
  );
  const upload = async () => {
    for (let csv = waiting.shift(); csv !== undefined; csv = waiting.shift())
      await muster.imports.start(connectionId, csv);
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, upload));
}
