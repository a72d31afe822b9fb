import { availableParallelism } from 'node:os';
import { CONNECTIONS, measureFairness } from './api-fairness/measure-fairness.ts';
import { percentile } from './support/percentile.ts';
import { type Bench, UsageError } from './support/report.ts';

/** What one customer at full speed costs the requests of another one. */
export const apiFairness: Bench = {
  usage: `api-fairness [seconds]
    the reads of one customer, alone and beside another one who calls every route at full speed`,

  async run([seconds = '30', ...rest]) {
    if (!/^[1-9]\d*$/.test(seconds) || rest.length > 0)
      throw new UsageError('The only argument is a number of seconds.');
    const { alone, beside, fullSpeed } = await measureFairness(Number(seconds) * 1000);
    const p50 = { alone: percentile(alone.ms, 50), beside: percentile(beside.ms, 50) };
    const p99 = { alone: percentile(alone.ms, 99), beside: percentile(beside.ms, 99) };
    const ratio = p99.beside / p99.alone;
    const line = (name: string, { ms, refused }: typeof alone) =>
      `  ${name.padEnd(34)} ${String(ms.length).padStart(6)} ${percentile(ms, 50).toFixed(1).padStart(8)} ${percentile(ms, 99).toFixed(1).padStart(8)} ${String(refused).padStart(6)}`;
    const statuses = Object.entries(fullSpeed.statuses).map(([status, count]) => `${count} × ${status}`);
    return {
      title: `Customer B reads one thing at a time, ${seconds} s alone and ${seconds} s beside customer A, who calls every route on ${CONNECTIONS} connections.\nEverything shares the ${availableParallelism()} processors of this machine.`,
      rows: [{ operation: 'p99 beside customer A ÷ alone', measured: ratio, goal: 3 }],
      notes: [
        `  ${''.padEnd(34)}  reads   p50 ms   p99 ms    429`,
        line('customer B alone', alone),
        line('customer B beside customer A', beside),
        `  customer A: ${fullSpeed.requests} requests, ${fullSpeed.perSecond.toFixed(1)} a second. Answers: ${statuses.join(', ')}`,
        fullSpeed.statuses['429']
          ? '  The rate limit stopped customer A: 429s were seen.'
          : '  No rate limit stopped customer A: no 429 was seen.',
      ],
      details: { seconds: Number(seconds), p50, p99, ratio, fullSpeed, refusedB: beside.refused },
    };
  },
};
