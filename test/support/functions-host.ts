import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { build } from 'esbuild';

const fixture = resolve('test/fixtures/functions-app');

/** Builds the fixture app as the real one is built, in a directory without packages. */
export async function buildFixtureApp(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'functions-app-'));
  cpSync(join(fixture, 'host.json'), join(directory, 'host.json'));
  cpSync(join(fixture, 'package.json'), join(directory, 'package.json'));
  await build({
    entryPoints: [join(fixture, 'index.ts')],
    outfile: join(directory, 'dist/index.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@azure/functions-core'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'warning',
  });
  return directory;
}

export interface HostProcess {
  url: string;
  functions: string[];
  process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when this text has been printed. */
  printed(text: string): Promise<void>;
  /** Resolves to the exit code. */
  exited: Promise<number | null>;
  stop(): Promise<number | null>;
}

/** Spawns the host; `started` is what a supervisor waits for, and rejects with the output when it exits instead. */
export function spawnHost(
  app: string,
  env: Record<string, string>,
): { process: ChildProcess; output: () => string; exited: Promise<number | null>; started: Promise<HostProcess> } {
  const child = spawn(process.execPath, [resolve('local/functions-host/main.ts'), '--app', app], {
    env: { PATH: process.env.PATH, FUNCTIONS_HTTP_PORT: '0', ...env },
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
    const { port, functions } = JSON.parse(line) as { port: number; functions: string[] };
    return {
      url: `http://127.0.0.1:${port}`,
      functions,
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

/** Azurite's queues in memory, in a process of their own. */
export async function startQueueStorage(port?: number): Promise<QueueStorage> {
  const chosen = port ?? (await freePort());
  const flags = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'];
  const address = ['--queueHost', '127.0.0.1', '--queuePort', String(chosen)];
  const child = spawn(
    process.execPath,
    [resolve('node_modules/azurite/dist/src/queue/main.js'), ...address, ...flags],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const exited = new Promise<void>((done) => child.on('close', () => done()));
  const account = 'devstoreaccount1';
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};QueueEndpoint=http://127.0.0.1:${chosen}/${account};`;
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  await until(async () => child.exitCode !== null || Boolean(await service.getProperties().catch(() => false)));
  if (child.exitCode !== null) throw new Error('Azurite ended at its start');
  return {
    connectionString,
    service,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

/** Asks again every 20 ms until it is so; the test's own time limit ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 20));
}
