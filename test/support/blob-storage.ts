import { BlobServiceClient } from '@azure/storage-blob';
import { startAzurite } from './azurite.ts';

export interface BlobStorage {
  service: BlobServiceClient;
  stop(): Promise<void>;
}

/** Starts Azurite's blob service. */
export async function startBlobStorage(): Promise<BlobStorage> {
  const { connectionString, stop } = await startAzurite('blob');
  // Tests of unavailable storage must not wait for four tries.
  const service = BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  return { service, stop };
}
