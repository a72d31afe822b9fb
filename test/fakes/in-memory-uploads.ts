import type { UploadStore } from '../../shared/imports/upload/upload-store.ts';

interface InMemoryUploads extends UploadStore {
  /** The stored uploads, by `{customerId}/{importId}`. */
  readonly stored: ReadonlyMap<string, { bytes: Buffer; contentType: string }>;
}

/** Uploads in memory. */
export function inMemoryUploads(): InMemoryUploads {
  const stored = new Map<string, { bytes: Buffer; contentType: string }>();
  return {
    stored,
    async put(customerId, importId, source, contentType) {
      const chunks: Buffer[] = [];
      for await (const chunk of source) chunks.push(Buffer.from(chunk));
      const bytes = Buffer.concat(chunks);
      stored.set(`${customerId}/${importId}`, { bytes, contentType });
      return { bytes: bytes.length };
    },
    async read(customerId, importId) {
      const found = stored.get(`${customerId}/${importId}`);
      return found && chunksOf(found.bytes);
    },
    async remove(customerId, importId) {
      stored.delete(`${customerId}/${importId}`);
    },
    async purge(customerId) {
      for (const name of [...stored.keys()]) if (name.startsWith(`${customerId}/`)) stored.delete(name);
    },
  };
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
