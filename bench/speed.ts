import { runBareLoopProcess } from './bare-loop/start-bare-loop.ts';
import { type BenchStack, startBenchStack } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench } from './support/report.ts';
import { middleRate, watchImport } from './support/watch-import.ts';
import { watchRunning } from './support/watch-running.ts';

/** How many checks one process runs at the same time: the default of `CHECKS_AT_ONCE`. */
const CHECKS_AT_ONCE = 24;
const POLL_MS = 250;

interface Options {
  mailboxes: number;
  latency: number;
  bare: number;
}

export const speed: Bench = {
  usage: `speed [--mailboxes 20000] [--bare 6000] [--latency 30]
    the rate of an import, and of a bare loop over \`bare\` mailboxes with the same requests. Latency in ms`,

  async run(args) {
    const options = readOptions(args, {
      numbers: {
        mailboxes: { default: 20_000, min: 100 },
        bare: { default: 6_000, min: 100 },
        latency: { default: 30, min: 0 },
      },
    });
    const { rate, wholeRate, busyShare, bareRates } = await measure(options);
    const bareRate = bareRates.reduce((sum, one) => sum + one, 0) / bareRates.length;
    return {
      title: `An import of ${options.mailboxes} mailboxes at ${options.latency} ms latency, and a bare loop with the same requests to storage and Graph before and after it. Rates between 10 % and 90 % of the rows.`,
      rows: [{ operation: 'rate ÷ rate of the bare loop', measured: rate / bareRate, goal: 0.85, is: 'atLeast' }],
      notes: [
        `  ${rate.toFixed(0)} mailboxes a second (${wholeRate.toFixed(0)} from upload to end); the bare loop ${bareRates.map((one) => one.toFixed(0)).join(' and ')}`,
        `  ${(100 * busyShare).toFixed(0)} % of the ${CHECKS_AT_ONCE} places for checks were in use`,
      ],
      details: { ...options, rate, wholeRate, busyShare, bareRates },
    };
  },
};

async function measure({ mailboxes, latency, bare }: Options) {
  const tenants = [benchTenant(1, mailboxes), benchTenant(2, bare), benchTenant(3, bare)] as const;
  const bench = await startBenchStack(tenants, { latencyMs: latency });
  try {
    const before = await measureBareLoop(bench, tenants[1], bare);
    const { muster, connectionId } = await bench.addCustomer(tenants[0]);
    const { id } = await muster.imports.start(connectionId, csvOf(tenants[0].domain, 1, mailboxes));
    const running = watchRunning(bench.stack, connectionId, id);
    const { latest, samples } = await watchImport(muster, id, { pollMs: POLL_MS, forMs: mailboxes * 50 });
    const busy = await running.stop();
    if (latest.counts.passed !== mailboxes) throw new Error(`the import ended with ${JSON.stringify(latest.counts)}`);
    const after = await measureBareLoop(bench, tenants[2], bare);
    return {
      rate: middleRate(samples, mailboxes),
      wholeRate: mailboxes / (samples.at(-1)?.seconds ?? Number.NaN),
      busyShare: busy / CHECKS_AT_ONCE,
      bareRates: [before, after],
    };
  } finally {
    await bench.stop();
  }
}

/** The functions process stays up and idle, as the storage and the simulator do. */
async function measureBareLoop(
  bench: BenchStack,
  tenant: ReturnType<typeof benchTenant>,
  mailboxes: number,
): Promise<number> {
  const { customerId, connectionId } = await bench.addCustomer(tenant);
  const { simulator, certificate, local } = bench.stack;
  const samples = await runBareLoopProcess(
    {
      connectionString: local().storage.connectionString,
      simulator: { loginUrl: simulator.loginUrl, graphUrl: simulator.graphUrl, imap: undefined, smtp: undefined },
      customerId,
      connectionId,
      clientSecret: tenant.clientSecret,
      addresses: Array.from({ length: mailboxes }, (_, index) => `user${index + 1}@${tenant.domain}`),
      checksMax: CHECKS_AT_ONCE,
    },
    certificate.path,
  );
  return middleRate(samples, mailboxes);
}
