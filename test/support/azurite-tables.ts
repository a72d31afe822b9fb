import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TableServiceClient } from '@azure/data-tables';
import { Secret } from '../../shared/kernel/secret.ts';

const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface AzuriteTables {
  connectionString: Secret;
  stop(): Promise<void>;
}

/** Azurite's tables in memory, on a free port, with these tables made. */
export async function startAzuriteTables(tables: readonly string[]): Promise<AzuriteTables> {
  const port = await freePort();
  const main = path.resolve('node_modules/azurite/dist/src/table/main.js');
  const options = ['--silent', '--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'];
  const address = ['--tableHost', '127.0.0.1', '--tablePort', String(port)];
  const child = spawn(process.execPath, [main, ...options, ...address], { stdio: 'ignore', cwd: tmpdir() });
  const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`;
  const text = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};TableEndpoint=${endpoint};`;
  const service = TableServiceClient.fromConnectionString(text, { allowInsecureConnection: true });
  await untilListening(port, child);
  await Promise.all(tables.map((name) => service.createTable(name)));
  return {
    connectionString: new Secret(text),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`azurite ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('azurite does not answer');
}
