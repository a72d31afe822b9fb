import { readCsv } from '../../shared/imports/upload/read-csv.ts';
import type { UploadLimits } from '../../shared/imports/upload/upload-limits.ts';

export const uploadLimits: UploadLimits = {
  maxBytes: 100_000_000,
  maxRows: 1_000_000,
  recordMaxBytes: 65_536,
  nameMaxLength: 200,
};

/** Streams the bytes in chunks. The sizes repeat until the bytes end. */
export async function* chunksOf(bytes: Uint8Array | string, sizes: readonly number[] = [65_536]) {
  const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield all.subarray(at, at + size);
    at += size;
  }
}

/** Reads a whole CSV. Resolves to its columns and rows. */
export async function rowsOf(
  csv: Uint8Array | string,
  { sizes, afterLine, ...limits }: Partial<UploadLimits> & { sizes?: readonly number[]; afterLine?: number } = {},
) {
  const { columns, rows } = await readCsv(chunksOf(csv, sizes), { ...uploadLimits, ...limits }, afterLine);
  return { columns, rows: await Array.fromAsync(rows) };
}
