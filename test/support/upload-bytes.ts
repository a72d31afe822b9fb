import type { ParsedRow, UploadLimits } from '../../shared/imports/upload/parsed-row.ts';
import { readCsv } from '../../shared/imports/upload/read-csv.ts';

export const uploadLimits: UploadLimits = {
  maxBytes: 100_000_000,
  maxRows: 1_000_000,
  recordMaxBytes: 65_536,
  nameMaxLength: 200,
};

/** The bytes as a stream, cut into chunks of the given sizes, over and over. */
export async function* chunksOf(bytes: Uint8Array | string, sizes: readonly number[] = [65_536]) {
  const all = Buffer.from(bytes as Uint8Array);
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield all.subarray(at, at + size);
    at += size;
  }
}

/** Reads a whole CSV. */
export async function rowsOf(
  csv: Uint8Array | string,
  { sizes, ...limits }: Partial<UploadLimits> & { sizes?: readonly number[] } = {},
) {
  const { columns, rows } = await readCsv(chunksOf(csv, sizes), { ...uploadLimits, ...limits });
  const judged: ParsedRow[] = [];
  for await (const row of rows) judged.push(row);
  return { columns, rows: judged };
}
