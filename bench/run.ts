import { apiFairness } from './api-fairness.ts';
import { cancel } from './cancel.ts';
import { crowd } from './crowd.ts';
import { fairness } from './fairness.ts';
import { files } from './files.ts';
import { large } from './large.ts';
import { processes } from './processes.ts';
import { reads } from './reads.ts';
import { reports as reportFiles } from './reports.ts';
import { requests } from './requests.ts';
import { sizes } from './sizes.ts';
import { speed } from './speed.ts';
import { start } from './start.ts';
import { type Bench, formatReport, isReached, type Report, UsageError } from './support/report.ts';
import { type Reports, writeResults } from './support/results.ts';
import { throttled } from './throttled.ts';

const benches: Record<string, Bench> = {
  requests,
  speed,
  sizes,
  processes,
  throttled,
  fairness,
  'api-fairness': apiFairness,
  reads,
  cancel,
  reports: reportFiles,
  files,
  start,
};

/** Benches that take too long to run with the others. */
const longBenches: Record<string, Bench> = { crowd, large };
const named = { ...benches, ...longBenches };

/**
 * `npm run bench`: all benches, one after the other, and their results in `bench/` and the README.
 * `npm run bench -- <what> [options]`: one of them. Goal and measured, as a table and as JSON. Ratios are within one run,
 * because absolute times differ from machine to machine. Exits with 1 if a goal is missed.
 */
const [what, ...args] = process.argv.slice(2);
const bench = what !== undefined && Object.hasOwn(named, what) ? named[what] : undefined;
try {
  if (what === undefined) await runAll();
  else if (bench) print(await bench.run(args));
  else throw new UsageError(what === '--help' ? '' : `There is no bench "${what}".`);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  const usages = Object.values(bench ? { bench } : named).map(({ usage }) => `  ${usage}`);
  const lines = ['Usage: npm run bench', '       npm run bench -- <what> [options]', '', ...usages];
  console.error([error.message, ...lines].join('\n').trim());
  process.exitCode = what === '--help' ? 0 : 1;
}

async function runAll(): Promise<void> {
  const reports: Reports = {};
  for (const [name, one] of Object.entries(benches)) {
    console.log(`\n# ${name}\n`);
    const report = await one.run([]).catch(unfinished);
    print(report);
    reports[name] = report;
  }
  await writeResults(reports, new Date());
}

/** A bench that fails is a goal that is missed, and the others are measured all the same. */
function unfinished(error: unknown): Report {
  return { title: `It did not finish: ${error}`, rows: [{ operation: 'did not finish', measured: 1, goal: 0 }] };
}

function print(report: Report): void {
  console.log(formatReport(report));
  if (!report.rows.every(isReached)) process.exitCode = 1;
}
