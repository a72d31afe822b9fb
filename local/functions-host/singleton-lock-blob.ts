import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type BlobLeaseClient, BlobServiceClient, type BlockBlobClient, RestError } from '@azure/storage-blob';
import type { AppSettings } from './app-settings.ts';
import type { LockBlob } from './singleton-lock.ts';

/** Where the host keeps its locks. */
export const LOCKS_CONTAINER = 'azure-webjobs-hosts';

/**
 * The blob whose lease is the lock of one function, in the place where the platform has it. `undefined` without a
 * storage account. `MUSTER_HOST_INSTANCE_ID`, a GUID, lets a restarted host take its own lease back immediately.
 */
export function createLockBlob(settings: AppSettings, functionName: string): LockBlob | undefined {
  const connectionString = settings.AzureWebJobsStorage;
  if (!connectionString?.includes('BlobEndpoint=') && !connectionString?.includes('UseDevelopmentStorage')) {
    return undefined;
  }
  const service = BlobServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 2, retryDelayInMs: 100, maxRetryDelayInMs: 1_000, tryTimeoutInMs: 5_000 },
  });
  const container = service.getContainerClient(LOCKS_CONTAINER);
  const hostId = (settings.AzureFunctionsWebHost__hostid ?? hostname()).toLowerCase();
  const blob = container.getBlockBlobClient(`locks/${hostId}/${functionName}.Listener`);
  const lease = blob.getBlobLeaseClient(settings.MUSTER_HOST_INSTANCE_ID ?? randomUUID());

  return {
    async acquire(periodMs) {
      const isAcquired = await succeeds(lease.acquireLease(periodMs / 1000));
      if (isAcquired !== 'missing') return isAcquired;
      await container.createIfNotExists();
      await createBlob(blob);
      return (await succeeds(lease.acquireLease(periodMs / 1000))) === true;
    },
    renew: async () => (await succeeds(lease.renewLease())) === true,
    release: async () => void (await succeeds(lease.releaseLease())),
  };
}

async function createBlob(blob: BlockBlobClient): Promise<void> {
  try {
    await blob.upload('', 0, { conditions: { ifNoneMatch: '*' } });
  } catch (error) {
    // Another host has created it, and may hold the lease already.
    if (!(error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412))) throw error;
  }
}

/** `false` while another host holds the lease. */
async function succeeds(call: ReturnType<BlobLeaseClient['renewLease']>): Promise<boolean | 'missing'> {
  try {
    await call;
    return true;
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    if (error.statusCode === 404) return 'missing';
    if (error.statusCode === 409 || error.statusCode === 412) return false;
    throw error;
  }
}
