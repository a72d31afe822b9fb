import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import type { UploadStore } from '../../imports/upload/upload-store.ts';
import { statusOf, storageAway } from '../tables/table-errors.ts';

/** Two blocks of a mebibyte: an upload costs as much memory as one of 50 GB would. */
const BLOCK_BYTES = 1_048_576;
const BLOCKS_AT_ONCE = 2;

/**
 * Uploads as block blobs named `{customerId}/{importId}`. The blob comes into being with the list of its blocks, at the
 * very end: blocks of an upload that failed before are invisible, and Azure drops them after a week.
 */
export function blobUploads(container: ContainerClient): UploadStore {
  const nameOf = (customerId: string, importId: string) => `${customerId}/${importId}`;

  return {
    async put(customerId, importId, source, contentType) {
      const counted = { bytes: 0, failure: undefined as { error: unknown } | undefined };
      const blob = container.getBlockBlobClient(nameOf(customerId, importId));
      const stream = Readable.from(watched(source, counted), { objectMode: false });
      const stop = new AbortController();
      try {
        await blob.uploadStream(stream, BLOCK_BYTES, BLOCKS_AT_ONCE, {
          abortSignal: stop.signal,
          blobHTTPHeaders: { blobContentType: contentType },
        });
        return { bytes: counted.bytes };
      } catch (error) {
        stop.abort();
        // The source's own error comes out as it is; what the SDK makes of it says nothing.
        if (counted.failure) throw counted.failure.error;
        throw storageAway(error);
      } finally {
        stream.destroy();
      }
    },
    async read(customerId, importId) {
      try {
        const { readableStreamBody } = await container.getBlockBlobClient(nameOf(customerId, importId)).download();
        if (!readableStreamBody) throw new Error('a download without a body');
        return translated(readableStreamBody as AsyncIterable<Uint8Array>);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw storageAway(error);
      }
    },
    async remove(customerId, importId) {
      await orAway(container.getBlockBlobClient(nameOf(customerId, importId)).deleteIfExists());
    },
    async purge(customerId) {
      try {
        for await (const blob of container.listBlobsFlat({ prefix: nameOf(customerId, '') })) {
          await container.getBlockBlobClient(blob.name).deleteIfExists();
        }
      } catch (error) {
        throw storageAway(error);
      }
    },
  };
}

async function* watched(
  source: AsyncIterable<Uint8Array>,
  counted: { bytes: number; failure: { error: unknown } | undefined },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) {
      counted.bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    counted.failure = { error };
    throw error;
  }
}

/** The connection may also break in the middle of a download, after the SDK's own attempts to go on. */
async function* translated(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw storageAway(error);
  }
}

async function orAway(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    throw storageAway(error);
  }
}

/** Only the blob may be absent: without its container the app is deployed wrongly, and no upload is to be called lost. */
function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && (error as { code?: unknown }).code !== 'ContainerNotFound';
}
