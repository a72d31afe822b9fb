import { createHash, type Hash } from 'node:crypto';
import { duplicateStream } from './duplicate-stream.ts';
import type { Columns, ParsedRow } from './parsed-row.ts';
import { describeColumns, type OpenedUpload, readUpload, type UploadType } from './read-upload.ts';
import type { UploadLimits } from './upload-limits.ts';
import type { UploadStore } from './upload-store.ts';

interface Deps {
  uploads: UploadStore;
  limits: UploadLimits;
}

interface IncomingUpload extends Pick<OpenedUpload, 'workbook'> {
  customerId: string;
  importId: string;
  contentType: UploadType;
  /** A CSV as it was sent, or rows from `writeNdjsonRows`. */
  body: AsyncIterable<Uint8Array>;
}

interface ReceivedUpload {
  uploadType: UploadType;
  columns: Columns;
  bytes: number;
  /** SHA-256 of the stored bytes. */
  hash: string;
  rows: number;
  /** Rows without a finding of their own. Includes duplicates. */
  valid: number;
}

/**
 * Stores and parses an upload in one pass, and calls `visit` with each row in order.
 *
 * The slowest of storage, parsing and `visit` slows down the others and the sender. The stored file becomes complete
 * only after the last row is parsed and visited. If the file, the storage, the sender or `visit` fails, nothing stays
 * stored, and this rejects with that error.
 */
export async function receiveUpload(
  deps: Deps,
  { customerId, importId, contentType, body, ...opened }: IncomingUpload,
  visit: (row: ParsedRow) => void | Promise<void> = () => undefined,
): Promise<ReceivedUpload> {
  const hash = createHash('sha256');
  const stream = duplicateStream(hashing(body, hash));
  const stored = deps.uploads.put(customerId, importId, stream.forStore, contentType);
  // If the storage fails, the parser must not keep waiting for it.
  stored.catch((error) => stream.fail(error));
  try {
    const { columns, rows } = await readUpload(contentType, stream.forParser, deps.limits);
    let count = 0;
    let valid = 0;
    for await (const row of rows) {
      count++;
      if (row.ok) valid++;
      const visited = visit(row);
      if (visited) await visited;
    }
    stream.complete();
    const { bytes } = await stored;
    return {
      uploadType: contentType,
      columns: describeColumns(columns, opened),
      bytes,
      hash: hash.digest('hex'),
      rows: count,
      valid,
    };
  } catch (error) {
    stream.fail(error);
    // Wait for the store to give up. Until then it may still write something that it has to remove.
    await stored.catch(() => undefined);
    throw error;
  }
}

/** The hash of an upload that is not stored. Reads it to its end. */
export async function hashUpload(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}

async function* hashing(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}
