import { DomainError } from '../../kernel/errors.ts';
import { readCanonical } from './canonical-rows.ts';
import type { Columns, ParsedUpload, UploadLimits } from './parsed-row.ts';
import { readCsv } from './read-csv.ts';

/** How an upload is stored: a file as it came, or rows of ours. What came as a form is stored as the file in it. */
export const uploadTypes = { csv: 'text/csv', rows: 'application/x-ndjson' } as const;
export type UploadType = (typeof uploadTypes)[keyof typeof uploadTypes];

/** What a request uploads, whichever way it was sent, as bytes of one of the stored types. */
export interface OpenedUpload {
  type: UploadType;
  bytes: AsyncIterable<Uint8Array>;
}

/** Rows of ours have their fields by name. */
const named: Columns = {
  used: { address: 'address', displayName: 'displayName', dailyLimit: 'dailyLimit', reference: 'reference' },
  ignored: [],
};

/** Reads an upload, new or stored, by its type. Rejects as `readCsv` does. */
export async function readUpload(
  type: string,
  source: AsyncIterable<Uint8Array>,
  limits: UploadLimits,
): Promise<ParsedUpload> {
  if (type === uploadTypes.csv) return readCsv(source, limits);
  if (type === uploadTypes.rows) return { columns: named, rows: readCanonical(source, limits) };
  throw new DomainError('unsupported_media_type', `Send ${uploadTypes.csv}, multipart/form-data or application/json.`);
}
