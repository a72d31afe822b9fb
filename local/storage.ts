import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { containers, poisonQueues, queues, tables } from '../shared/kernel/storage-names.ts';
import { type Child, startChild } from './child.ts';
import { freePort } from './ports.ts';
import type { RequestCount } from './request-count.ts';
import { StartError } from './start-error.ts';
import { type AccessLog, createAccessLog, MARK } from './storage-access-log.ts';
import { type SupervisedChild, superviseChild } from './supervised-child.ts';

/** Azurite's well-known account, which is not a secret: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
/** A URL, because `--import` does not take a path on every system. */
const GUARD = new URL('./storage-guard.ts', import.meta.url).href;
const START_MAX_MS = 30_000;
/** The first lines that Azurite prints are kept: they explain a failed start. */
const KEPT_LINES_MAX = 10;
/** Azurite saves its data immediately. After that it only waits for open connections. */
const STOP_MAX_MS = 8_000;
const START_ATTEMPTS_MAX = 3;
const SERVICES = ['blob', 'queue', 'table'] as const;

export type StoragePorts = Record<(typeof SERVICES)[number], number>;

export interface Storage extends Omit<SupervisedChild, 'kill' | 'isReady'> {
  readonly connectionString: string;
  readonly urls: Record<(typeof SERVICES)[number], string>;
  readonly ports: StoragePorts;
  /** Every request that was answered before this call. */
  counts(): Promise<RequestCount[]>;
  resetCounts(): Promise<void>;
}

export interface StorageOptions {
  /** Where the data is kept. Without a folder it is kept in memory only. */
  folder?: string;
  /** Preferred ports. Free ones are used where these are taken. */
  ports?: Partial<StoragePorts>;
  onLine?: (line: string) => void;
  onRestart?: () => void;
}

/** Starts Azurite on 127.0.0.1 with everything that `infra/` provisions in Azure. Restarts it when it dies. */
export async function startStorage(options: StorageOptions): Promise<Storage> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // Another program may have taken one of the ports since they were picked. Try again with others.
      if (attempt === START_ATTEMPTS_MAX || !(error instanceof StartError)) throw error;
      options.onLine?.(error.message);
    }
  }
}

async function startOnFreePorts(options: StorageOptions): Promise<Storage> {
  const { folder } = options;
  const ports: StoragePorts = {
    blob: await freePort(options.ports?.blob),
    queue: await freePort(options.ports?.queue),
    table: await freePort(options.ports?.table),
  };
  const urlOf = (port: number) => `http://127.0.0.1:${port}/${ACCOUNT}`;
  const urls = { blob: urlOf(ports.blob), queue: urlOf(ports.queue), table: urlOf(ports.table) };
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${urls.blob};QueueEndpoint=${urls.queue};TableEndpoint=${urls.table};`;
  const log = createAccessLog();
  if (folder) await mkdir(folder, { recursive: true });
  let isProvisioned = false;

  const azurite = await superviseChild({
    launch() {
      const { child, ready } = launchAzurite(ports, folder, log, options.onLine);
      return { child, ready: ready.then(() => Promise.race([provisionIfNeeded(), unlessItEnds(child)])) };
    },
    stopMaxMs: STOP_MAX_MS,
    onRestart: options.onRestart,
    onFailure: (error) => options.onLine?.(String(error)),
  });

  async function provisionIfNeeded(): Promise<void> {
    // Without a folder a new process starts empty.
    if (isProvisioned && folder) return;
    await provision(connectionString);
    isProvisioned = true;
  }

  let marks = 0;
  async function allLogged(): Promise<void> {
    if (azurite.pid() === 0) return;
    const mark = `${MARK}-${++marks}`;
    const logged = log.whenLogged(mark);
    await fetch(`${urls.blob}/${mark}`).catch(() => undefined);
    await logged;
  }

  await allLogged();
  log.reset();
  return {
    connectionString,
    urls,
    ports,
    pid: azurite.pid,
    start: azurite.start,
    stop: azurite.stop,
    async counts() {
      await allLogged();
      return log.counts();
    },
    async resetCounts() {
      await allLogged();
      log.reset();
    },
  };
}

function launchAzurite(
  ports: StoragePorts,
  folder: string | undefined,
  log: AccessLog,
  onLine: ((line: string) => void) | undefined,
): { child: Child; ready: Promise<void> } {
  const firstLines: string[] = [];
  let hasEnded = false;
  const child = startChild(azuriteArguments(ports, folder), process.env, (line) => {
    if (log.read(line)) return;
    if (firstLines.length < KEPT_LINES_MAX) firstLines.push(line);
    onLine?.(line);
  });
  void child.ended.then(() => {
    hasEnded = true;
  });

  async function untilAnswering(): Promise<void> {
    const deadline = Date.now() + START_MAX_MS;
    for (const port of Object.values(ports)) {
      while (!(await accepts(port))) {
        if (hasEnded) {
          throw new StartError(`Azurite ended while it was starting: ${firstLines.join(' ') || 'it printed nothing'}.`);
        }
        if (Date.now() > deadline) throw new StartError('Azurite did not answer within 30 seconds.');
        await pause(100);
      }
    }
  }
  return { child, ready: untilAnswering() };
}

function azuriteArguments(ports: StoragePorts, folder: string | undefined): string[] {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const location = folder ? ['--location', folder] : ['--inMemoryPersistence'];
  const addresses = SERVICES.flatMap((service) => [
    ...[`--${service}Host`, '127.0.0.1'],
    ...[`--${service}Port`, String(ports[service])],
  ]);
  return ['--import', GUARD, program, ...location, ...addresses, '--disableTelemetry', '--skipApiVersionCheck'];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Another program that took a port since it was found free accepts connections as well. Then Azurite ends, and what is
 * asked of that program fails in one way or another.
 */
async function unlessItEnds(child: Child): Promise<never> {
  await child.ended;
  throw new StartError('Azurite ended while its tables and queues were made.');
}

async function provision(connectionString: string): Promise<void> {
  const queueService = QueueServiceClient.fromConnectionString(connectionString);
  const tableService = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  const blobService = BlobServiceClient.fromConnectionString(connectionString);
  await Promise.all([
    ...[...Object.values(queues), ...Object.values(poisonQueues)].map((name) =>
      queueService.getQueueClient(name).createIfNotExists(),
    ),
    // This client does not treat an existing table as an error.
    ...Object.values(tables).map((name) => tableService.createTable(name)),
    ...Object.values(containers).map((name) => blobService.getContainerClient(name).createIfNotExists()),
  ]);
}
