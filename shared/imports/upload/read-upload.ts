import { DomainError } from '../../kernel/errors.ts';
import { readNdjsonRows } from './ndjson-rows.ts';
import type { Columns, ParsedUpload } from './parsed-row.ts';
import { readCsv } from './read-csv.ts';
import type { UploadLimits } from './upload-limits.ts';

/** The formats in which uploads are stored. A workbook and the file in a form are stored as CSV, a JSON list as NDJSON. */
export const uploadTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
export type UploadType = (typeof uploadTypes)[keyof typeof uploadTypes];

/** The upload of a request, in one of the stored formats, not read yet. */
export interface OpenedUpload {
  type: UploadType;
  bytes: AsyncIterable<Uint8Array>;
  /** The workbook that the bytes are made from. Its sheet is known when the first bytes are read. */
  workbook?: { readonly sheet: string | undefined };
}

/** How an upload was read, for the customer. Call it after the last row. */
export function describeColumns(columns: Columns, { workbook }: Pick<OpenedUpload, 'workbook'>): Columns {
  if (workbook?.sheet === undefined) return { ...columns };
  const { delimiter: _delimiter, encoding: _encoding, ...ofWorkbook } = columns;
  return { ...ofWorkbook, sheet: workbook.sheet };
}

/** NDJSON rows always use our own field names. */
const ndjsonColumns: Columns = {
  used: { address: 'address', displayName: 'displayName', dailyLimit: 'dailyLimit', reference: 'reference' },
  ignored: [],
};

/** Parses a new or stored upload by its type, without the rows up to `afterLine`. Rejects as `readCsv` does. */
export async function readUpload(
  type: string,
  source: AsyncIterable<Uint8Array>,
  limits: UploadLimits,
  afterLine = 0,
): Promise<ParsedUpload> {
  if (type === uploadTypes.csv) return readCsv(source, limits, afterLine);
  if (type === uploadTypes.ndjson) return { columns: ndjsonColumns, rows: readNdjsonRows(source, limits, afterLine) };
  throw new DomainError(
    'unsupported_media_type',
    `Send the mailboxes as ${uploadTypes.csv}, as an Excel workbook (.xlsx), as multipart/form-data or as application/json.`,
  );
}
