import type { Columns, ParsedRow, UploadLimits } from './parsed-row.ts';
import { readUpload, type UploadType } from './read-upload.ts';
import { createTee } from './tee.ts';
import type { UploadStore } from './upload-store.ts';

interface Deps {
  uploads: UploadStore;
  limits: UploadLimits;
}

interface Incoming {
  customerId: string;
  importId: string;
  contentType: UploadType;
  /** A CSV as its sender has it, or rows from `writeCanonical`. */
  body: AsyncIterable<Uint8Array>;
}

export interface ReceivedUpload {
  uploadType: UploadType;
  columns: Columns;
  bytes: number;
  rows: number;
  /** Rows that are sound by themselves, duplicates included. */
  valid: number;
}

/**
 * Stores an upload and judges it in the same pass; each row is handed to `visit`, in order.
 *
 * The slower of the two holds up the other, and the sender. The stored file is complete only once the last row has been
 * judged and visited: when the file, the storage, the sender or `visit` fails, nothing is left, and that error comes out.
 */
export async function receiveUpload(
  deps: Deps,
  { customerId, importId, contentType, body }: Incoming,
  visit: (row: ParsedRow) => void | Promise<void> = () => undefined,
): Promise<ReceivedUpload> {
  const tee = createTee(body);
  const stored = deps.uploads.put(customerId, importId, tee.copy, contentType);
  // A storage that fails while the reader waits for it must not leave the reader waiting.
  stored.catch((error) => tee.fail(error));
  try {
    const { columns, rows } = await readUpload(contentType, tee.source, deps.limits);
    let count = 0;
    let valid = 0;
    for await (const row of rows) {
      count++;
      if (row.ok) valid++;
      const visited = visit(row);
      if (visited) await visited;
    }
    tee.complete();
    const { bytes } = await stored;
    return { uploadType: contentType, columns, bytes, rows: count, valid };
  } catch (error) {
    tee.fail(error);
    // Until the store has given up there may still come something that would have to be removed.
    await stored.catch(() => undefined);
    throw error;
  }
}
