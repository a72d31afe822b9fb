import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { containers, poisonQueues, queues, tables } from '../shared/kernel/storage-names.ts';
import { type Child, endChild, startChild } from './child.ts';
import { freePort } from './ports.ts';
import type { RequestCount } from './request-count.ts';
import { StartError } from './start-error.ts';
import { createAccessLog, MARK } from './storage-access-log.ts';

/** Azurite's well-known account: not a secret. https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
/** As an address: on every system `--import` takes one, paths only on some. */
const GUARD = new URL('./end-with-parent.ts', import.meta.url).href;
const START_MOST_MS = 30_000;
/** Lines of its start that are kept for when it fails. */
const SAID_MOST = 10;
const STOP_PATIENCE_MS = 15_000;
const RESTART_AFTER_MS = 1_000;
const STARTS_MOST = 3;

export interface StoragePorts {
  blob: number;
  queue: number;
  table: number;
}

export interface Storage {
  readonly connectionString: string;
  readonly urls: { blob: string; queue: string; table: string };
  readonly ports: StoragePorts;
  pid(): number;
  /** By SIGTERM: killed hard, Azurite loses what it has acknowledged. It stays away until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Every request that was answered before the call. */
  counts(): Promise<RequestCount[]>;
  resetCounts(): Promise<void>;
}

export interface StorageOptions {
  /** Where the data lies; absent: in memory. */
  folder?: string;
  ports?: Partial<StoragePorts>;
  onLine?: (line: string) => void;
  /** Called when it has come back by itself, with another process id. */
  onRestart?: () => void;
}

/** Starts Azurite on 127.0.0.1 with all that `infra/` provisions in Azure. Comes back by itself when it dies. */
export async function startStorage(options: StorageOptions): Promise<Storage> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // A port that was free a moment ago may be somebody else's by now: with others it is tried again.
      if (attempt === STARTS_MOST || !(error instanceof StartError)) throw error;
      options.onLine?.(error.message);
    }
  }
}

async function startOnFreePorts(options: StorageOptions): Promise<Storage> {
  const ports: StoragePorts = {
    blob: await freePort(options.ports?.blob),
    queue: await freePort(options.ports?.queue),
    table: await freePort(options.ports?.table),
  };
  const urlOf = (port: number) => `http://127.0.0.1:${port}/${ACCOUNT}`;
  const urls = { blob: urlOf(ports.blob), queue: urlOf(ports.queue), table: urlOf(ports.table) };
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${urls.blob};QueueEndpoint=${urls.queue};TableEndpoint=${urls.table};`;
  const log = createAccessLog();
  if (options.folder) await mkdir(options.folder, { recursive: true });
  let child: Child | undefined;
  let isWanted = false;
  let isProvisioned = false;

  async function launch(): Promise<void> {
    isWanted = true;
    const said: string[] = [];
    const next = startChild(azuriteArguments(ports, options.folder), process.env, (line) => {
      if (log.read(line)) return;
      if (said.length < SAID_MOST) said.push(line);
      options.onLine?.(line);
    });
    child = next;
    let hasEnded = false;
    void next.ended.then(async () => {
      hasEnded = true;
      if (child === next) child = undefined;
      if (!isWanted) return;
      await pause(RESTART_AFTER_MS);
      if (!isWanted || child) return;
      await launch().then(
        () => options.onRestart?.(),
        (error) => options.onLine?.(String(error)),
      );
    });
    await answering(Object.values(ports), () => (hasEnded ? said : undefined));
    // What was in memory is gone with the process that held it.
    if (!isProvisioned || !options.folder) await provision(connectionString);
    isProvisioned = true;
  }

  let marks = 0;
  async function logged(): Promise<void> {
    if (!child) return;
    const mark = `${MARK}-${++marks}`;
    const seen = log.seen(mark);
    await fetch(`${urls.blob}/${mark}`).catch(() => undefined);
    await seen;
  }

  async function stop(): Promise<void> {
    isWanted = false;
    if (child) await endChild(child, STOP_PATIENCE_MS);
  }

  await launch().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  await logged();
  log.reset();
  return {
    connectionString,
    urls,
    ports,
    pid: () => child?.pid ?? 0,
    async start() {
      if (!child) await launch();
    },
    stop,
    async counts() {
      await logged();
      return log.counts();
    },
    async resetCounts() {
      await logged();
      log.reset();
    },
  };
}

function azuriteArguments(ports: StoragePorts, folder: string | undefined): string[] {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const where = folder ? ['--location', folder] : ['--inMemoryPersistence'];
  const host = ['blob', 'queue', 'table'].flatMap((service) => [`--${service}Host`, '127.0.0.1']);
  const port = (['blob', 'queue', 'table'] as const).flatMap((service) => [`--${service}Port`, String(ports[service])]);
  return ['--import', GUARD, program, ...where, ...host, ...port, '--disableTelemetry', '--skipApiVersionCheck'];
}

/** @param endedSaying what it said before it ended; `undefined` while it runs */
async function answering(ports: readonly number[], endedSaying: () => string[] | undefined): Promise<void> {
  const until = Date.now() + START_MOST_MS;
  for (const port of ports) {
    while (!(await accepts(port))) {
      const said = endedSaying();
      if (said) throw new StartError(`Azurite ended while it was starting: ${said.join(' ') || 'it said nothing'}.`);
      if (Date.now() > until) throw new StartError('Azurite did not answer within 30 seconds.');
      await pause(100);
    }
  }
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

async function provision(connectionString: string): Promise<void> {
  const ofQueues = QueueServiceClient.fromConnectionString(connectionString);
  const ofTables = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  const ofBlobs = BlobServiceClient.fromConnectionString(connectionString);
  await Promise.all([
    ...[...Object.values(queues), ...Object.values(poisonQueues)].map((name) =>
      ofQueues.getQueueClient(name).createIfNotExists(),
    ),
    // Creating a table that exists is not an error for this client.
    ...Object.values(tables).map((name) => ofTables.createTable(name)),
    ...Object.values(containers).map((name) => ofBlobs.getContainerClient(name).createIfNotExists()),
  ]);
}
