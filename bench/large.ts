import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type BenchCustomer, type BenchStack, isTable, startBenchStack, sumOf } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench } from './support/report.ts';
import { settledRows } from './support/watch-import.ts';

const LATENCY_MS = 30;
const POLL_MS = 1_000;
/** More mailboxes than are checked before the cancel arrives. */
const SPARE_MAILBOXES = 10_000;

/** What one part of the rows cost. */
interface Part {
  phase: 'plan' | 'check' | 'cancel';
  rows: number;
  seconds: number;
  /** Of the functions and of storage. Unlike the time, it does not depend on what else the machine does. */
  cpuSeconds: number;
  tableRequests: number;
  /** Resident memory at the end of the part. */
  functionsMb: number;
  storageMb: number;
}

export const large: Bench = {
  usage: `large [--rows 1000000] [--checked 10000] [--part 100000] [--give-up 3600]
    one large import: planned, some of it checked, then cancelled. What each part of the rows costs; times in seconds`,

  async run(args) {
    const options = readOptions(args, {
      numbers: {
        rows: { default: 1_000_000 },
        checked: { default: 10_000 },
        part: { default: 100_000 },
        'give-up': { default: 3_600 },
      },
    });
    const { rows, checked } = options;
    const tenant = benchTenant(1, Math.min(rows, checked + SPARE_MAILBOXES));
    const bench = await startBenchStack([tenant], { latencyMs: LATENCY_MS });
    try {
      const customer = await bench.addCustomer(tenant);
      const { parts, open } = await measure(bench, customer, options);
      const ofPhase = (phase: Part['phase']) => parts.filter((part) => part.phase === phase);
      return {
        title: `An import of ${rows} rows: planned, ${checked} of them checked, then cancelled.`,
        rows: [
          ...(['plan', 'cancel'] as const).flatMap((phase) => [
            {
              operation: `${phase}: table requests a row`,
              measured: each(ofPhase(phase), 'tableRequests'),
              goal: phase === 'plan' ? 0.023 : 0.12,
            },
            {
              operation: `${phase}: processor time a row, last part ÷ first`,
              measured: growth(ofPhase(phase), 'cpuSeconds'),
              goal: 1.5,
            },
            {
              operation: `${phase}: requests a row, last part ÷ first`,
              measured: growth(ofPhase(phase), 'tableRequests'),
              goal: 1.1,
            },
          ]),
          {
            operation: 'memory of functions at the end ÷ after the first part',
            measured: growth(parts, 'functionsMb'),
            goal: 1.5,
          },
          { operation: 'rows that stayed open', measured: open, goal: 0 },
        ],
        notes: parts.map(
          (part) =>
            `  ${part.phase.padEnd(6)} ${String(part.rows).padStart(7)} rows in ${part.seconds.toFixed(1).padStart(6)} s (${part.cpuSeconds} s of processor time), ${(part.tableRequests / part.rows).toFixed(4)} table requests a row; functions ${part.functionsMb.toFixed(0)} MB, storage ${part.storageMb.toFixed(0)} MB`,
        ),
        details: { ...options, parts },
      };
    } finally {
      await bench.stop();
    }
  },
};

async function measure(
  bench: BenchStack,
  { muster, connectionId, tenant }: BenchCustomer,
  options: { rows: number; checked: number; part: number; 'give-up': number },
) {
  const parts: Part[] = [];
  const deadline = performance.now() + options['give-up'] * 1000;

  async function usage() {
    const [functions, storage] = await Promise.all(
      [bench.stack.functions.pid(), bench.stack.storage.pid()].map(usageOf),
    );
    const cpuSeconds = (functions?.cpuSeconds ?? 0) + (storage?.cpuSeconds ?? 0);
    return { cpuSeconds, functionsMb: functions?.residentMb ?? 0, storageMb: storage?.residentMb ?? 0 };
  }

  /** Watches a count until it reaches `total` and notes what each part of it costs. */
  async function watch(phase: Part['phase'], count: () => Promise<number>, total: number): Promise<void> {
    let from = 0;
    let startedAt = performance.now();
    let usedBefore = await usage();
    await bench.resetCounts();
    while (from < total && performance.now() < deadline) {
      await pause(POLL_MS);
      const now = await count();
      if (now - from < options.part && now < total) continue;
      const tableRequests = sumOf(await bench.counts(), isTable);
      const seconds = (performance.now() - startedAt) / 1000;
      const { cpuSeconds, ...memory } = await usage();
      const used = cpuSeconds - usedBefore.cpuSeconds;
      parts.push({ phase, rows: now - from, seconds, cpuSeconds: used, tableRequests, ...memory });
      console.error(JSON.stringify(parts.at(-1)));
      from = now;
      startedAt = performance.now();
      usedBefore = { cpuSeconds, ...memory };
      await bench.resetCounts();
    }
  }

  const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, options.rows));
  const counts = async () => (await muster.imports.get(id)).counts;
  await watch('plan', async () => (await counts()).accepted, options.rows);
  await watch('check', async () => settledRows(await muster.imports.get(id)), options.checked);
  await muster.imports.cancel(id);
  const { cancelled: before, pending, waiting } = await counts();
  await watch('cancel', async () => (await counts()).cancelled - before, pending + waiting);
  const latest = await muster.waitForImport(id, { pollMs: POLL_MS });
  return { parts, open: latest.counts.pending + latest.counts.waiting };
}

/** Per row, over all parts. */
function each(parts: readonly Part[], field: 'tableRequests'): number {
  const sum = (name: 'rows' | typeof field) => parts.reduce((total, part) => total + part[name], 0);
  return sum(field) / sum('rows');
}

/** What the last whole part cost, compared with the first one. The last one may be smaller. */
function growth(parts: readonly Part[], field: 'cpuSeconds' | 'tableRequests' | 'functionsMb'): number {
  const [first, ...rest] = parts;
  const last = rest.at(-1) ?? first;
  if (!first || !last) return Number.NaN;
  if (field === 'functionsMb') return last[field] / first[field];
  return last[field] / last.rows / (first[field] / first.rows);
}

/** The processor time that a process has used so far, and its resident memory. */
async function usageOf(pid: number): Promise<{ cpuSeconds: number; residentMb: number }> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'times=,rss=', '-p', String(pid)]);
  const [cpuSeconds = 0, rss = 0] = stdout.trim().split(/\s+/).map(Number);
  return { cpuSeconds, residentMb: rss / 1024 };
}
