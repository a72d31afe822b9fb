import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { writePackage } from '../scripts/package.ts';
import { writeZip } from '../scripts/write-zip.ts';
import { percentile } from './support/percentile.ts';
import { type Bench, UsageError } from './support/report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 7;
const MEGABYTE = 1024 * 1024;

export const start: Bench = {
  usage: `start
    the time to import the bundled app, ÷ the same app with its packages unbundled; the time until the local host has
    started the package; and its size`,

  async run(args) {
    if (args.length > 0) throw new UsageError('There are no arguments.');
    const bundled: number[] = [];
    const unbundled: number[] = [];
    const unbundledApp = join(ROOT, 'dist/unbundled.js');
    try {
      await build({
        entryPoints: [join(ROOT, 'functions/index.ts')],
        outfile: unbundledApp,
        bundle: true,
        packages: 'external',
        platform: 'node',
        target: 'node22',
        format: 'esm',
      });
      for (let i = 0; i < ROUNDS; i++) {
        bundled.push(await importMs(join(ROOT, 'dist/index.js')));
        unbundled.push(await importMs(unbundledApp));
      }
    } finally {
      await rm(unbundledApp, { force: true });
    }
    const { size, starts } = await measurePackage();
    const [ms, unbundledMs] = [percentile(bundled, 50), percentile(unbundled, 50)];
    return {
      title: `The start of the app: the median of ${ROUNDS} imports in processes of their own.`,
      rows: [
        { operation: 'import time, bundled ÷ unbundled', measured: ms / unbundledMs, goal: 0.5 },
        { operation: 'start of the package in the local host, s', measured: percentile(starts, 50) / 1000, goal: 1 },
        { operation: 'size of the package, MB', measured: size / MEGABYTE, goal: 3 },
      ],
      notes: [
        `  bundled ${ms.toFixed(0)} ms, unbundled ${unbundledMs.toFixed(0)} ms; the latter loads everything at once`,
      ],
      details: { bundled, unbundled, starts, size },
    };
  },
};

/** Settings with which the app registers all its functions. Nothing is asked, because nothing is called. */
const SETTINGS = {
  DataStorage: 'UseDevelopmentStorage=true',
  KEY_VAULT_URL: 'https://vault.example',
  PUBLIC_URL: 'https://api.example',
  OPERATOR_KEY: 'a-key-of-the-bench-that-is-long-enough-to-be-accepted',
  AZURE_TENANT_ID: '00000000-0000-4000-8000-000000000001',
  AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000002',
  AZURE_CLIENT_SECRET: 'a-secret-of-the-bench',
  SWEEP_SCHEDULE: '0 * * * * *',
  EXPIRY_SCHEDULE: '0 0 6 * * *',
  RETENTION_SCHEDULE: '0 20 * * * *',
};

async function importMs(file: string): Promise<number> {
  const script = `const t = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); console.log(performance.now() - t); process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...SETTINGS },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const ms = Number(output.trim().split('\n').at(-1));
  if (code !== 0 || !Number.isFinite(ms)) throw new Error(`the app could not be imported: ${errors}`);
  return ms;
}

async function measurePackage(): Promise<{ size: number; starts: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-package-'));
  try {
    const target = join(folder, 'package');
    await writePackage(ROOT, target);
    const archive = join(folder, 'muster.zip');
    await writeZip(target, archive);
    const starts: number[] = [];
    for (let i = 0; i < ROUNDS; i++) starts.push(await startMs(target));
    return { size: (await stat(archive)).size, starts };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the start of the host's process until it serves the app. Its queues have no storage, which takes no time. */
async function startMs(app: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'local/functions-host/main.ts'), '--app', app], {
    env: { PATH: process.env.PATH, FUNCTIONS_HTTP_PORT: '0', ...SETTINGS },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('{"event":"host started"')) return performance.now() - startedAt;
    }
    throw new Error('the app could not be started');
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
