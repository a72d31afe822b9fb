import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { freePort } from '../../local/ports.ts';

type Service = 'blob' | 'queue' | 'table';

export interface Azurite {
  connectionString: string;
  stop(): Promise<void>;
}

const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const endpointNames: Record<Service, string> = {
  blob: 'BlobEndpoint',
  queue: 'QueueEndpoint',
  table: 'TableEndpoint',
};

/** Starts one service of Azurite in a process of its own, in memory, on a free port. */
export async function startAzurite(service: Service): Promise<Azurite> {
  const main = createRequire(import.meta.url).resolve(`azurite/dist/src/${service}/main.js`);
  const port = await freePort();
  const address = [`--${service}Host`, '127.0.0.1', `--${service}Port`, String(port)];
  const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'];
  const child = spawn(process.execPath, [main, ...address, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilStarted(child);
  return {
    connectionString: connectionString(service, `http://127.0.0.1:${port}`),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The connection string of Azurite at this address, or of an address where nothing listens. */
export function connectionString(service: Service, url: string): string {
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};${endpointNames[service]}=${url}/${ACCOUNT};`;
}

function untilStarted(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (/successfully (listens|started) on/.test(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`Azurite ended: ${text}`)));
  });
}
