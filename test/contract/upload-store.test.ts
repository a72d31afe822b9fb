import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobUploads } from '../../shared/adapters/blobs/blob-uploads.ts';
import { receiveUpload } from '../../shared/imports/upload/receive-upload.ts';
import { inMemoryUploads } from '../fakes/in-memory-uploads.ts';
import { type BlobStorage, startBlobStorage } from '../support/blob-storage.ts';
import { chunksOf, uploadLimits } from '../support/upload-bytes.ts';
import { describeUploadStore } from './upload-store.contract.ts';

describeUploadStore('in memory', async () => inMemoryUploads());

describe('on blobs', () => {
  let storage: BlobStorage;
  beforeAll(async () => {
    storage = await startBlobStorage();
  });
  afterAll(() => storage.stop());

  const container = () => storage.service.getContainerClient(`uploads-${randomUUID()}`);

  describeUploadStore('blobs', async () => {
    const fresh = container();
    await fresh.create();
    return blobUploads(fresh);
  });

  it('keeps the media type with the blob', async () => {
    const fresh = container();
    await fresh.create();
    await blobUploads(fresh).put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
    expect((await fresh.getBlobClient('cust_1/imp_1').getProperties()).contentType).toBe('text/csv');
  });

  // Calling it absent would end every import as "the uploaded file is not there any more".
  it('does not call an upload lost where only the container is missing', async () => {
    await expect(blobUploads(container()).read('cust_1', 'imp_1')).rejects.toMatchObject({ code: 'ContainerNotFound' });
  });
});

describe('while storage is away', () => {
  const away = expect.objectContaining({ code: 'storage_unavailable', retryAfterSeconds: expect.any(Number) });

  it('every call says so and when to come back', async () => {
    const storage = await startBlobStorage();
    const uploads = blobUploads(storage.service.getContainerClient('uploads'));
    await storage.stop();
    const csv = `email\n${'a@contoso.com\n'.repeat(300_000)}`;
    const upload = { customerId: 'cust_1', importId: 'imp_1', contentType: 'text/csv', body: chunksOf(csv) } as const;
    await expect(receiveUpload({ uploads, limits: uploadLimits }, upload)).rejects.toEqual(away);
    await expect(uploads.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv')).rejects.toEqual(away);
    await expect(uploads.read('cust_1', 'imp_1')).rejects.toEqual(away);
    await expect(uploads.remove('cust_1', 'imp_1')).rejects.toEqual(away);
    await expect(uploads.purge('cust_1')).rejects.toEqual(away);
  });
});
