import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobUploads } from '../../shared/adapters/blobs/blob-uploads.ts';
import { receiveUpload } from '../../shared/imports/upload/receive-upload.ts';
import { inMemoryUploads } from '../fakes/in-memory-uploads.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { chunksOf, uploadLimits } from '../support/upload-bytes.ts';
import { describeUploadStore } from './upload-store.contract.ts';

describeUploadStore('in memory', async () => inMemoryUploads());

/** One try only: a test of unavailable storage must not wait for four. */
const serviceOf = ({ connectionString }: Azurite) =>
  BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });

describe('on blobs', () => {
  let storage: Azurite;
  beforeAll(async () => {
    storage = await startAzurite('blob');
  });
  afterAll(() => storage?.stop());

  const container = () => serviceOf(storage).getContainerClient(`uploads-${randomUUID()}`);

  describeUploadStore('blobs', async () => {
    const fresh = container();
    await fresh.create();
    return blobUploads(fresh);
  });

  it('stores the media type with the blob', async () => {
    const fresh = container();
    await fresh.create();
    await blobUploads(fresh).put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
    expect((await fresh.getBlobClient('cust_1/imp_1').getProperties()).contentType).toBe('text/csv');
  });

  // If the upload counted as absent, every import would fail because its file is missing.
  it('treats a missing container as a defect, never as a missing upload', async () => {
    const uploads = blobUploads(container());
    const expected = 'lacks a table, container or queue: ContainerNotFound';
    await expect(uploads.read('cust_1', 'imp_1')).rejects.toThrow(expected);
    await expect(uploads.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv')).rejects.toThrow(expected);
    await expect(uploads.remove('cust_1', 'imp_1')).rejects.toThrow(expected);
    await expect(uploads.purge('cust_1')).rejects.toThrow(expected);
  });
});

describe('if storage is unavailable', () => {
  const unavailable = expect.objectContaining({ code: 'storage_unavailable', retryAfterSeconds: expect.any(Number) });

  it('every call says so, and when to retry', async () => {
    const storage = await startAzurite('blob');
    const uploads = blobUploads(serviceOf(storage).getContainerClient('uploads'));
    await storage.stop();
    const csv = `email\n${'a@contoso.com\n'.repeat(300_000)}`;
    const upload = { customerId: 'cust_1', importId: 'imp_1', contentType: 'text/csv', body: chunksOf(csv) } as const;
    await expect(receiveUpload({ uploads, limits: uploadLimits }, upload)).rejects.toEqual(unavailable);
    await expect(uploads.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv')).rejects.toEqual(unavailable);
    await expect(uploads.read('cust_1', 'imp_1')).rejects.toEqual(unavailable);
    await expect(uploads.remove('cust_1', 'imp_1')).rejects.toEqual(unavailable);
    await expect(uploads.purge('cust_1')).rejects.toEqual(unavailable);
  });
});
