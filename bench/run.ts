import { apiFairness } from './api-fairness.ts';
import { cancel } from './cancel.ts';
import { crowd } from './crowd.ts';
import { fairness } from './fairness.ts';
import { large } from './large.ts';
import { processes } from './processes.ts';
import { requests } from './requests.ts';
import { speed } from './speed.ts';
import { type Bench, formatReport, isReached, UsageError } from './support/report.ts';
import { throttled } from './throttled.ts';

const benches: Record<string, Bench> = {
  requests,
  speed,
  throttled,
  processes,
  cancel,
  crowd,
  fairness,
  large,
  'api-fairness': apiFairness,
};

/**
 * `npm run bench -- <what> [options]`: goal and measured, as a table and as JSON. Ratios are within one run, because
 * absolute times differ from machine to machine. Exits with 1 if a goal is missed.
 */
const [what = 'requests', ...args] = process.argv.slice(2);
const bench = Object.hasOwn(benches, what) ? benches[what] : undefined;
try {
  if (!bench) throw new UsageError(what === '--help' ? '' : `There is no bench "${what}".`);
  const report = await bench.run(args);
  console.log(formatReport(report));
  process.exitCode = report.rows.every(isReached) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  const usages = Object.values(bench ? { bench } : benches).map(({ usage }) => `  ${usage}`);
  console.error([error.message, 'Usage: npm run bench -- <what> [options]', '', ...usages].join('\n').trim());
  process.exitCode = what === '--help' ? 0 : 1;
}
