import { availableParallelism } from 'node:os';
import { CONNECTIONS, measureFairness } from './fairness/measure-fairness.ts';
import { percentile } from './fairness/percentile.ts';

/**
 * `npm run bench:fairness [-- seconds]`: what one customer at full speed costs another one, as a table and as JSON.
 * Exits with 1 if the other customer's p99 grows by more than the goal.
 */
const RATIO_MAX = 3;
const [seconds = '30'] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(seconds)) {
  console.error('Usage: npm run bench:fairness [-- seconds]');
  process.exit(1);
}
const { alone, beside, fullSpeed } = await measureFairness(Number(seconds) * 1000);
const p50 = { alone: percentile(alone.ms, 50), beside: percentile(beside.ms, 50) };
const p99 = { alone: percentile(alone.ms, 99), beside: percentile(beside.ms, 99) };
const ratio = p99.beside / p99.alone;

const line = (name: string, { ms, refused }: typeof alone) =>
  `  ${name.padEnd(34)} ${String(ms.length).padStart(6)} ${percentile(ms, 50).toFixed(1).padStart(8)} ${percentile(ms, 99).toFixed(1).padStart(8)} ${String(refused).padStart(6)}`;
console.log(
  `Customer B reads one thing at a time, ${seconds} s alone and ${seconds} s beside customer A, who calls every route on ${CONNECTIONS} connections.\nEverything shares the ${availableParallelism()} processors of this machine.\n`,
);
console.log(`  ${''.padEnd(34)}  reads   p50 ms   p99 ms    429`);
console.log(line('customer B alone', alone));
console.log(line('customer B beside customer A', beside));
console.log(
  `\n  customer A: ${fullSpeed.requests} requests, ${fullSpeed.perSecond.toFixed(1)} a second. Answers: ${Object.entries(
    fullSpeed.statuses,
  )
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')}`,
);
console.log(
  fullSpeed.statuses['429']
    ? '  The rate limit stopped customer A: 429s were seen.'
    : '  No rate limit stopped customer A: no 429 was seen.',
);
console.log(`  p99 ratio: ${ratio.toFixed(2)}   goal ${RATIO_MAX}${ratio <= RATIO_MAX ? '' : '  MISSED'}`);
console.log(`\n${JSON.stringify({ seconds: Number(seconds), p50, p99, ratio, fullSpeed, refusedB: beside.refused })}`);
process.exitCode = ratio <= RATIO_MAX ? 0 : 1;
