import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { freePort } from '../../local/ports.ts';

type Service = 'blob' | 'queue' | 'table';

export interface Azurite {
  connectionString: string;
  stop(): Promise<void>;
}

/** Azurite's well-known account, which is not a secret. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const ENDPOINTS: Record<Service, string> = { blob: 'BlobEndpoint', queue: 'QueueEndpoint', table: 'TableEndpoint' };
/** Ends Azurite when the test process is killed. */
const GUARD = new URL('../../local/storage-guard.ts', import.meta.url).href;

/** Starts one service of Azurite in its own process, with its data in memory, on the given port or a free one. */
export async function startAzurite(service: Service, port?: number): Promise<Azurite> {
  const chosen = port ?? (await freePort());
  const program = createRequire(import.meta.url).resolve(`azurite/dist/src/${service}/main.js`);
  const address = [`--${service}Host`, '127.0.0.1', `--${service}Port`, String(chosen)];
  const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'];
  const child = spawn(process.execPath, ['--import', GUARD, program, ...address, ...options], {
    cwd: tmpdir(),
    env: { ...process.env, MUSTER_PARENT_PID: String(process.pid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (/successfully (?:listens|started) on/.test(output)) resolve();
    });
    void exited.then(() => reject(new Error(`Azurite ended while it was starting: ${output}`)));
  });
  return {
    connectionString: connectionString(service, `http://127.0.0.1:${chosen}`),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** The connection string of Azurite at this address, or of an address where nothing listens. */
export function connectionString(service: Service, url: string): string {
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};${ENDPOINTS[service]}=${url}/${ACCOUNT};`;
}
