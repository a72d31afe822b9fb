import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** The bytes of a folder in a zip: each file deflated by itself, and about a hundred bytes for its entries. */
export async function zipBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes +=
      deflateRawSync(await readFile(join(entry.parentPath, entry.name))).byteLength + 100 + 2 * entry.name.length;
  }
  return bytes;
}
