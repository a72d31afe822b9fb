import { randomUUID } from 'node:crypto';
import { close, open, unlink, write } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '../../../kernel/errors.ts';

const openFile = promisify(open);
const removeName = promisify(unlink);
const writeBytes = promisify(write);
export const closeFile = promisify(close);

const RETRY_AFTER_SECONDS = 10;

/**
 * Writes a stream to a temporary file, and resolves to the descriptor of the file, which the caller closes. The file has
 * no name any more, so the system frees it when it is closed or the process dies.
 *
 * Rejects with the error of the source, or with `storage_unavailable` if the disk is full or fails.
 */
export async function spoolToDisk(source: AsyncIterable<Uint8Array>): Promise<number> {
  const name = path.join(tmpdir(), `upload-${randomUUID()}`);
  const file = await onDisk(openFile(name, 'wx+', 0o600));
  try {
    await onDisk(removeName(name));
    for await (const chunk of source) await onDisk(writeAll(file, chunk));
    return file;
  } catch (error) {
    await closeFile(file);
    throw error;
  }
}

async function writeAll(file: number, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await writeBytes(file, chunk, at)).bytesWritten;
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new DomainError('storage_unavailable', 'The upload could not be stored. Try again in a few seconds.', {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}
