import { setTimeout as pause } from 'node:timers/promises';
import type { Import } from '../clients/typescript/src/index.ts';
import { parseScenario } from '../local/microsoft365/scenario.ts';
import { type Fate, type PlannedImport, planCrowd } from './crowd/plan-crowd.ts';
import { type BenchCustomer, type BenchStack, startBenchStack } from './support/bench-stack.ts';
import { benchTenant, csvOf, demoGrants } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import { percentile } from './support/percentile.ts';
import type { Bench } from './support/report.ts';
import { settledRows } from './support/watch-import.ts';

const POLL_MS = 1_000;
const SMALL_ROWS = 50;

/** How long the customer of an import waited, in seconds since the upload began. */
interface Waited extends PlannedImport {
  started: number;
  firstVerdict: number;
  done: number;
  latest: Import;
}

export const crowd: Bench = {
  usage: `crowd [--imports 100] [--customers 20] [--largest 5000] [--limit 50] [--processes 1] [--latency 30] [--give-up 600]
    many imports of many customers at the same time. One tenant allows \`limit\` sub-requests in 10 s, one withdraws its
    consent in mid-import, one import is cancelled. Latency in ms, times in seconds`,

  async run(args) {
    const options = readOptions(args, {
      numbers: {
        imports: { default: 100 },
        customers: { default: 20, min: 4 },
        largest: { default: 5_000 },
        limit: { default: 50 },
        processes: { default: 1 },
        latency: { default: 30, min: 0 },
        'give-up': { default: 600 },
      },
    });
    const waited = await measure(options);
    const wrong = waited.filter((one) => !isExact(one));
    // How long the throttled tenant takes is its own affair: its imports wait for Microsoft, and not for others.
    const completed = waited.filter(({ fate, isThrottled }) => fate === 'completes' && !isThrottled);
    const small = completed.filter(({ rows }) => rows <= SMALL_ROWS).map(({ done }) => done);
    const last = Math.max(...completed.map(({ done }) => done));
    return {
      title: `${options.imports} imports of ${options.customers} customers at the same time, up to ${options.largest} rows each.`,
      rows: [
        { operation: 'imports whose counts are not exact', measured: wrong.length, goal: 0 },
        {
          operation: `longest wait of an import of up to ${SMALL_ROWS} rows ÷ longest of all`,
          measured: Math.max(...small) / last,
          goal: 0.5,
        },
        {
          operation: 'median wait of a small import ÷ longest of all',
          measured: percentile(small, 50) / last,
          goal: 0.25,
        },
      ],
      notes: [table(waited), ...wrong.map(({ latest }) => `  not exact: ${JSON.stringify(latest)}`)],
      details: { ...options, waited: waited.map(({ latest, ...one }) => ({ ...one, status: latest.status })) },
    };
  },
};

interface Options {
  imports: number;
  customers: number;
  largest: number;
  limit: number;
  processes: number;
  latency: number;
  'give-up': number;
}

async function measure(options: Options): Promise<Waited[]> {
  const plan = planCrowd(options);
  const tenants = plan.map(({ number, isThrottled, imports }) => {
    const mailboxes = imports.reduce((sum, { rows }) => sum + rows, 0);
    const throttle = { perAppPerTenantPer10s: options.limit, retryAfterSeconds: 5 };
    return benchTenant(number, mailboxes, demoGrants, isThrottled ? { throttle } : {});
  });
  const bench = await startBenchStack(tenants, { latencyMs: options.latency, processes: options.processes });
  try {
    const customers: BenchCustomer[] = [];
    for (const tenant of tenants) customers.push(await bench.addCustomer(tenant));
    const deadline = performance.now() + options['give-up'] * 1000;
    const runs = plan.flatMap(({ imports }, i) => {
      const customer = customers[i];
      return customer ? [runCustomer(bench, customer, imports, deadline)] : [];
    });
    return (await Promise.all(runs)).flat();
  } finally {
    await bench.stop();
  }
}

/** Uploads the files of one customer one after the other, as a connection receives them, and watches all of them. */
async function runCustomer(
  bench: BenchStack,
  { muster, connectionId, tenant }: BenchCustomer,
  imports: readonly PlannedImport[],
  deadline: number,
): Promise<Waited[]> {
  let from = 1;
  const watched: Promise<Waited>[] = [];
  for (const planned of imports) {
    const startedAt = performance.now();
    const seconds = () => (performance.now() - startedAt) / 1000;
    const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, from, from + planned.rows - 1));
    from += planned.rows;
    const started = seconds();
    watched.push(watch(id, planned, started, seconds));
  }
  return Promise.all(watched);

  async function watch(id: string, planned: PlannedImport, started: number, seconds: () => number): Promise<Waited> {
    let firstVerdict = Number.NaN;
    let hasMetFate = planned.fate === 'completes';
    for (;;) {
      const latest = await muster.imports.get(id);
      if (settledRows(latest) > 0 && Number.isNaN(firstVerdict)) firstVerdict = seconds();
      if (!hasMetFate && settledRows(latest) >= planned.rows / 5) {
        hasMetFate = true;
        if (planned.fate === 'cancelled') await muster.imports.cancel(id);
        else withdrawConsent(bench, tenant.scenario);
      }
      const isOver = latest.finishedAt || latest.status === 'paused' || performance.now() > deadline;
      if (isOver) return { ...planned, started, firstVerdict, done: seconds(), latest };
      await pause(POLL_MS);
    }
  }
}

function withdrawConsent({ stack }: BenchStack, scenario: BenchCustomer['tenant']['scenario']): void {
  const apps = scenario.apps?.map((app) => ({ ...app, consent: 'absent' as const }));
  for (const tenant of parseScenario({ tenants: [{ ...scenario, ...(apps && { apps }) }] }).tenants) {
    stack.simulator.world.put(tenant);
  }
}

/** Whether the import ended as its fate says, and each of its rows is counted once. */
function isExact({ rows, fate, latest: { status, counts, finding } }: Waited): boolean {
  const { passed, failed, inconclusive, cancelled, pending, waiting } = counts;
  const isWhole = counts.accepted === rows && passed + failed + inconclusive + cancelled + pending + waiting === rows;
  const expected: Record<Fate, boolean> = {
    completes: status === 'completed' && passed === rows,
    cancelled: status === 'cancelled' && passed + cancelled === rows,
    consentWithdrawn: status === 'paused' && Boolean(finding) && failed + inconclusive === 0,
  };
  return isWhole && expected[fate];
}

function table(waited: readonly Waited[]): string {
  const lines = waited
    .toSorted((one, other) => one.rows - other.rows)
    .map((one) =>
      [
        String(one.rows).padStart(6),
        String(one.customer).padStart(9),
        ...[one.started, one.firstVerdict, one.done].map((seconds) => seconds.toFixed(1).padStart(9)),
        `  ${one.latest.status}${one.isThrottled ? ', throttled' : ''}`,
      ].join(''),
    );
  return ['  rows customer  started    first     done   (seconds)', ...lines].join('\n');
}
