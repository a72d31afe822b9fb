import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readOptions } from './support/options.ts';
import { percentile } from './support/percentile.ts';
import type { Bench } from './support/report.ts';

const READ_FILE = fileURLToPath(new URL('./files/read-file.ts', import.meta.url));
const ROUNDS = 3;

/** What one process reports that has read a file. */
export interface FileRead {
  seconds: number;
  /** The most that the heap and its buffers held, after garbage collection. */
  peakBytes: number;
}

export const files: Bench = {
  usage: `files [--rows 300000] [--small 100000] [--large 1000000]
    reading a CSV with validation, ÷ csv-parse alone; and how memory grows with the rows`,

  async run(args) {
    const options = readOptions(args, {
      numbers: { rows: { default: 300_000 }, small: { default: 100_000 }, large: { default: 1_000_000 } },
    });
    const ratios = [];
    for (let i = 0; i < ROUNDS; i++) {
      const bare = await readFile('bare', options.rows);
      const validated = await readFile('validated', options.rows);
      ratios.push(bare.seconds / validated.seconds);
    }
    const small = await readFile('dryRun', options.small);
    const large = await readFile('dryRun', options.large);
    const growth = (large.peakBytes - small.peakBytes) / 1024 / (options.large - options.small);
    const perSecond = options.large / large.seconds;
    return {
      title: `A CSV of ${options.rows} rows, read with validation and by csv-parse alone, in processes of their own. Memory is that of a dry run.`,
      rows: [
        { operation: 'CSV with validation ÷ csv-parse', measured: percentile(ratios, 50), goal: 0.5, is: 'atLeast' },
        { operation: 'memory for each further row, KB', measured: growth, goal: 0.25 },
      ],
      notes: [`  ${perSecond.toFixed(0)} rows a second in a dry run of ${options.large} rows`],
      details: { ...options, ratios, small, large },
    };
  },
};

async function readFile(how: 'bare' | 'validated' | 'dryRun', rows: number): Promise<FileRead> {
  const child = spawn(process.execPath, ['--expose-gc', READ_FILE, how, String(rows)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`reading the file ended with ${code}`);
  return JSON.parse(output);
}
