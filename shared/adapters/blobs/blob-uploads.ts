import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import type { UploadStore } from '../../imports/upload/upload-store.ts';
import { toStorageError, translateStorageErrors, translateStreamErrors, undefinedOn } from '../storage-errors.ts';

/** At most two blocks of 1 MiB are in memory, whatever the size of the upload. */
const BLOCK_BYTES = 1_048_576;
const CONCURRENT_BLOCKS_MAX = 2;

/**
 * Uploads as block blobs named `{customerId}/{importId}`. A blob only exists once its list of blocks is committed, at
 * the very end. Blocks of a failed upload stay invisible, and Azure deletes them after a week.
 */
export function blobUploads(container: ContainerClient): UploadStore {
  const nameOf = (customerId: string, importId: string) => `${customerId}/${importId}`;

  return {
    async put(customerId, importId, source, contentType) {
      const progress: Progress = { bytes: 0, failure: undefined };
      const blob = container.getBlockBlobClient(nameOf(customerId, importId));
      const stream = Readable.from(observe(source, progress), { objectMode: false });
      const stop = new AbortController();
      try {
        await blob.uploadStream(stream, BLOCK_BYTES, CONCURRENT_BLOCKS_MAX, {
          abortSignal: stop.signal,
          blobHTTPHeaders: { blobContentType: contentType },
        });
        return { bytes: progress.bytes };
      } catch (error) {
        stop.abort();
        // The caller needs the source's own error. The SDK's error does not contain it.
        if (progress.failure) throw progress.failure.error;
        throw toStorageError(error);
      } finally {
        stream.destroy();
      }
    },
    async read(customerId, importId) {
      const blob = container.getBlockBlobClient(nameOf(customerId, importId));
      const found = await undefinedOn([404], blob.download());
      if (!found) return undefined;
      if (!found.readableStreamBody) throw new Error('a download without a body');
      return translateStreamErrors(found.readableStreamBody as AsyncIterable<Uint8Array>);
    },
    async remove(customerId, importId) {
      await translateStorageErrors(container.getBlockBlobClient(nameOf(customerId, importId)).deleteIfExists());
    },
    async purge(customerId) {
      for await (const { name } of translateStreamErrors(container.listBlobsFlat({ prefix: nameOf(customerId, '') }))) {
        await translateStorageErrors(container.getBlockBlobClient(name).deleteIfExists());
      }
    },
  };
}

interface Progress {
  bytes: number;
  failure: { error: unknown } | undefined;
}

/** Passes the source on, counts its bytes and keeps its error. */
async function* observe(source: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) {
      progress.bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    progress.failure = { error };
    throw error;
  }
}
