import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { build } from 'esbuild';
import type { FunctionGroup } from '../../local/functions-host/function-groups.ts';
import { startAzurite } from './azurite.ts';

const fixture = resolve('test/fixtures/functions-app');

/** Bundles an app as `scripts/build.ts` bundles the real one. */
export async function bundleApp(entryPoint: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@azure/functions-core'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'warning',
  });
}

/** Builds the fixture app in a directory without packages. Resolves to the directory. */
export async function buildFixtureApp(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'functions-app-'));
  cpSync(join(fixture, 'host.json'), join(directory, 'host.json'));
  cpSync(join(fixture, 'package.json'), join(directory, 'package.json'));
  await bundleApp(join(fixture, 'index.ts'), join(directory, 'dist/index.js'));
  return directory;
}

export interface HostProcess {
  url: string;
  functions: string[];
  groups: FunctionGroup[];
  process: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves once this text has been printed. */
  printed(text: string): Promise<void>;
  /** Resolves to the exit code. */
  exited: Promise<number | null>;
  stop(): Promise<number | null>;
}

/** Spawns the host. `started` resolves once the host is up, and rejects with its output if it exits instead. */
export function spawnHost(
  app: string,
  env: Record<string, string>,
): { process: ChildProcess; output: () => string; exited: Promise<number | null>; started: Promise<HostProcess> } {
  const child = spawn(process.execPath, [resolve('local/functions-host/main.ts'), '--app', app], {
    // A test that fails before it stops its host must not leave it running.
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      FUNCTIONS_HTTP_PORT: '0',
      MUSTER_PARENT_PID: String(process.pid),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const waiting = new Set<() => void>();
  const add = (chunk: Buffer) => {
    text += chunk.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const exited = new Promise<number | null>((done) => child.on('close', done));
  const printed = (wanted: string | RegExp) =>
    new Promise<void>((done, reject) => {
      const look = () => {
        if (text.search(wanted) < 0) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      look();
      void exited.then(() => reject(new Error(`the host ended before it printed ${wanted}:\n${text}`)));
    });
  const started = printed(/^{"event":"host started".*}$/m).then(() => {
    const line = /^{"event":"host started".*}$/m.exec(text)?.[0] ?? '';
    const { port, functions, groups }: { port: number; functions: string[]; groups: FunctionGroup[] } =
      JSON.parse(line);
    return {
      url: `http://127.0.0.1:${port}`,
      functions,
      groups,
      process: child,
      output: () => text,
      printed,
      exited,
      stop: () => {
        child.kill('SIGTERM');
        return exited;
      },
    };
  });
  return { process: child, output: () => text, exited, started };
}

export interface QueueStorage {
  connectionString: string;
  service: QueueServiceClient;
  stop(): Promise<void>;
}

/** Starts Azurite's queue service. */
export async function startQueueStorage(port?: number): Promise<QueueStorage> {
  const { connectionString, stop } = await startAzurite('queue', port);
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  return { connectionString, service, stop };
}

/** Polls every 20 ms until the condition holds, at most until the test's own time limit. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 20));
}
