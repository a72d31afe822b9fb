import { ofChecks, startBenchStack, sumOf } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench, Row } from './support/report.ts';
import { middleRate, settledRows, watchImport } from './support/watch-import.ts';

/** How many checks one process runs at the same time: the default of `CHECKS_AT_ONCE`. */
const CHECKS_AT_ONCE = 24;
/** A check makes two requests to Graph, one after the other. */
const REQUESTS_OF_A_CHECK = 2;

export const processes: Bench = {
  usage: `processes [--processes 1,2,4] [--latency 400] [--seconds 25] [--apart]
    the rate of an import with several processes. Each import is as long as it takes at the full rate; latency in ms`,

  async run(args) {
    const options = readOptions(args, {
      numbers: { latency: { default: 400 }, seconds: { default: 25, min: 5 } },
      switches: ['apart'],
      lists: { processes: [1, 2, 4] },
    });
    const runs = [];
    for (const count of options.processes) runs.push(await measure(count, options));
    return {
      title: `Imports of about ${options.seconds} s at ${options.latency} ms latency, ${CHECKS_AT_ONCE} checks at the same time in each process.\nThe rate between 10 % and 90 % of the rows, and the rate of the whole import, ÷ (processes × ${CHECKS_AT_ONCE} ÷ time of a check).`,
      rows: runs.flatMap(({ rows }) => rows),
      notes: runs.map(({ note }) => note),
      details: { ...options, runs: runs.map(({ figures }) => figures) },
    };
  },
};

async function measure(
  count: number,
  { latency, seconds, apart }: { latency: number; seconds: number; apart: boolean },
) {
  const possible = (count * CHECKS_AT_ONCE * 1000) / (latency * REQUESTS_OF_A_CHECK);
  const mailboxes = Math.ceil(possible * seconds);
  const tenant = benchTenant(1, mailboxes);
  const bench = await startBenchStack([tenant], { latencyMs: latency, processes: count, isApart: apart });
  try {
    const { muster, connectionId } = await bench.addCustomer(tenant);
    await bench.resetCounts();
    const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, mailboxes));
    const { latest, samples } = await watchImport(muster, id, { pollMs: 250, forMs: seconds * 6_000 });
    const puts = sumOf(await bench.counts(), ofChecks('POST'));

    const settled = settledRows(latest);
    const rate = middleRate(samples, mailboxes);
    const end = samples.at(-1)?.seconds ?? 0;
    const name = (what: string) => `${count} ${count === 1 ? 'process' : 'processes'}: ${what}`;
    const rows: Row[] = [
      { operation: name('rate ÷ possible'), measured: rate / possible, goal: 0.9, is: 'atLeast' },
      { operation: name('queue puts a mailbox'), measured: puts / mailboxes, goal: 1 },
      { operation: name('rows that did not pass'), measured: mailboxes - latest.counts.passed, goal: 0 },
    ];
    return {
      rows,
      note: `  ${name(`${settled} mailboxes in ${end.toFixed(1)} s; ${rate.toFixed(1)} a second of ${possible.toFixed(1)} (whole import ${(settled / end / possible).toFixed(2)})`)}`,
      figures: { processes: count, mailboxes, possible, rate, seconds: end, wholeImport: settled / end / possible },
    };
  } finally {
    await bench.stop();
  }
}
