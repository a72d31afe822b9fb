import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

/** Of every file in the archive, so that the same files make the same archive. ZIP knows no older local time. */
const MODIFIED_AT = new Date(1980, 0, 1);
const MODE = 0o100644;

/** Packs the files of a folder into a ZIP archive. The same files make the same bytes, whenever and wherever. */
export async function writeZip(folder: string, archive: string): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const zip = new yazl.ZipFile();
  for (const file of files.sort()) {
    const name = relative(folder, file).split(sep).join('/');
    zip.addFile(file, name, { mtime: MODIFIED_AT, mode: MODE, forceDosTimestamp: true });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(archive));
}
