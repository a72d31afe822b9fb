import { crc32 } from 'node:zlib';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { DomainError } from '../../../kernel/errors.ts';
import { closeFile } from './spool-to-disk.ts';
import { damagedWorkbook, unpacksTooLarge } from './workbook-errors.ts';

/** A ZIP archive on disk. Its parts are unpacked while they are read. */
export interface Archive {
  /** The names of all parts, as they are written in the archive. */
  names: readonly string[];
  has(name: string): boolean;
  /** The unpacked bytes. All parts together may have as many bytes as the archive was opened with. */
  read(name: string): AsyncGenerator<Buffer>;
  close(): void;
}

/** Excel writes dozens. Each one more is read from the archive's directory before its first part. */
const PARTS_MAX = 10_000;
/** Sheets have 5 to 40. DEFLATE reaches 1,032, with nothing but repetitions. */
const RATIO_MAX = 250;
/** Small parts may be repetitive. */
const RATIO_FROM_BYTES = 1_000_000;

/**
 * Opens an archive and takes over its descriptor.
 *
 * Safe against archives that unpack to much more than they are: the sizes that an archive states are checked before a
 * part is unpacked, and a part that does not have its size or its checksum makes reading reject.
 *
 * @throws DomainError `file_malformed`, `file_not_text` if it is encrypted, `payload_too_large`
 */
export async function openArchive(file: number, unpackedMaxBytes: number): Promise<Archive> {
  let zip: ZipFile;
  try {
    zip = await fromFdPromise(file, { autoClose: false });
  } catch (cause) {
    await closeFile(file);
    throw damagedWorkbook('it is not a complete ZIP archive', cause);
  }
  try {
    const parts = await listParts(zip);
    let left = unpackedMaxBytes;
    return {
      names: [...parts.values()].map(({ fileName }) => fileName),
      has: (name) => parts.has(keyOf(name)),
      read(name) {
        const entry = parts.get(keyOf(name));
        if (!entry) throw damagedWorkbook(`it lacks its part "${name.slice(0, 100)}"`);
        left -= entry.uncompressedSize;
        const isBomb =
          entry.uncompressedSize > RATIO_FROM_BYTES && entry.uncompressedSize > RATIO_MAX * entry.compressedSize;
        if (left < 0 || isBomb) throw unpacksTooLarge(unpackedMaxBytes);
        return unpack(zip, entry);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** Names of parts do not differ in case alone. */
function keyOf(name: string): string {
  return name.toLowerCase();
}

async function listParts(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > PARTS_MAX) throw damagedWorkbook(`it has more than ${PARTS_MAX} parts`);
  const parts = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) {
        throw new DomainError(
          'file_not_text',
          'The file is protected with a password. Remove the password, and upload the file again.',
        );
      }
      if (!parts.has(keyOf(entry.fileName))) parts.set(keyOf(entry.fileName), entry);
    }
  } catch (error) {
    throw error instanceof DomainError ? error : damagedWorkbook('its directory cannot be read', error);
  }
  return parts;
}

async function* unpack(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const damaged = (cause?: unknown) =>
    damagedWorkbook(`its part "${entry.fileName.slice(0, 100)}" cannot be unpacked`, cause);
  let checksum = 0;
  const pieces = await zip.openReadStreamPromise(entry).catch((cause) => {
    throw damaged(cause);
  });
  const reading = pieces[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await reading.next().catch((cause) => {
        throw damaged(cause);
      });
      if (next.done) break;
      checksum = crc32(next.value, checksum);
      yield next.value;
    }
  } finally {
    pieces.destroy();
  }
  if (checksum !== entry.crc32) throw damaged();
}
