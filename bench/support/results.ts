import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { drawThroughput, type ThroughputPoint } from './chart.ts';
import { isReached, type Report } from './report.ts';

const fileIn = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const README = fileIn('README.md');
const RESULTS = fileIn('bench/results.json');
export const TABLE_START = '<!-- The next lines are written by `npm run bench`. -->';
export const TABLE_END = '<!-- The end of what `npm run bench` writes. -->';
const GIGABYTE = 1024 ** 3;

/** The reports of all benches, by the name of the bench. */
export type Reports = Record<string, Report>;

/**
 * Writes what all benches measured: `bench/results.json`, the charts beside it, and the table in the README. Says on
 * which machine and on which day.
 */
export async function writeResults(reports: Reports, now: Date): Promise<void> {
  const machine = { processors: cpus().length, memoryGB: Math.round(totalmem() / GIGABYTE), node: process.version };
  const date = now.toISOString().slice(0, 10);
  await writeFile(RESULTS, `${JSON.stringify({ date, machine, benches: reports }, null, 2)}\n`);
  await writeFile(fileIn('bench/instances.svg'), drawThroughput('Functions processes', instancePoints(reports)));
  await writeFile(fileIn('bench/sizes.svg'), drawThroughput('Mailboxes in the import', sizePoints(reports)));
  const where = `${date}, ${machine.processors} processors, ${machine.memoryGB} GB of memory, Node ${machine.node.slice(1)}`;
  const readme = await readFile(README, 'utf8');
  const [before, rest] = split(readme, TABLE_START);
  const [, after] = split(rest, TABLE_END);
  await writeFile(README, `${before}${TABLE_START}\n\n${tableOf(reports, where)}\n${TABLE_END}${after}`);
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`README.md has no line ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** The table of all goals in Markdown. */
export function tableOf(reports: Reports, where: string): string {
  const rows = Object.entries(reports).flatMap(([bench, { rows: measured }]) =>
    measured.map((row) => {
      const goal = `${row.is === 'atLeast' ? '≥' : '≤'} ${row.goal}`;
      return `| ${bench} | ${row.operation} | ${goal} | ${Number(row.measured.toPrecision(3))} | ${isReached(row) ? 'yes' : '**no**'} |`;
    }),
  );
  return [
    `Measured on ${where}.`,
    '',
    '| bench | what | goal | measured | met |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

interface Figures {
  processes?: number;
  rate?: number;
  possible?: number;
  size?: number;
  seconds?: number;
}

const figuresOf = (report: Report | undefined): Figures[] => (report?.details?.runs ?? []) as Figures[];

function instancePoints({ processes }: Reports): ThroughputPoint[] {
  return figuresOf(processes).map(({ processes: count = 0, rate = 0, possible = 0 }) => ({
    x: String(count),
    measured: rate,
    possible,
  }));
}

function sizePoints({ sizes }: Reports): ThroughputPoint[] {
  return figuresOf(sizes).map(({ size = 0, seconds = 1 }) => ({ x: String(size), measured: size / seconds }));
}
