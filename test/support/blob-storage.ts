import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { BlobServiceClient } from '@azure/storage-blob';

export interface BlobStorage {
  service: BlobServiceClient;
  stop(): Promise<void>;
}

const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');

/** Azurite's blobs in a process of their own, in memory, on a free port. */
export async function startBlobStorage(): Promise<BlobStorage> {
  const child = spawn(
    process.execPath,
    [
      main,
      '--blobHost',
      '127.0.0.1',
      '--blobPort',
      '0',
      '--inMemoryPersistence',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      '--silent',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await addressOf(child);
  const account =
    'AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  return {
    service: BlobServiceClient.fromConnectionString(
      `DefaultEndpointsProtocol=http;${account};BlobEndpoint=${url}/devstoreaccount1;`,
      // A test of storage that is away must not wait for four tries.
      { retryOptions: { maxTries: 1 } },
    ),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /successfully listens on (http:\S+)/.exec(text)?.[1];
      if (url) resolve(url);
    });
    child.once('exit', () => reject(new Error(`Azurite ended: ${text}`)));
  });
}
