/** A finding about one row or one column of an upload: nothing that refuses the file. */
export interface RowFinding {
  line: number;
  address?: string;
  code: RowFindingCode;
  message: string;
}

export type RowFindingCode =
  | 'address_missing'
  | 'address_malformed'
  | 'address_too_long'
  | 'address_consumer'
  | 'name_too_long'
  | 'reference_too_long'
  | 'daily_limit_invalid'
  | 'row_malformed'
  | 'row_too_long'
  | 'duplicate_in_file'
  | 'duplicate_in_connection';

/** One line of an upload, judged on its own: before anybody has looked at the other lines or at the connection. */
export type ParsedRow =
  | { line: number; ok: true; address: string; displayName?: string; dailyLimit?: number; reference?: string }
  | { line: number; ok: false; address: string; reference?: string; code: RowFindingCode; message: string };

/** Which of our fields an upload gives. */
export interface Columns {
  /** Which header each of our fields was read from. */
  used: Partial<Record<'address' | 'displayName' | 'dailyLimit' | 'reference', string>>;
  /** Headers we do not know, reported so that a typing error is seen. */
  ignored: string[];
  /** Of a CSV only. */
  delimiter?: ',' | ';' | '\t';
  /** Of a CSV only. */
  encoding?: 'utf-8' | 'utf-16le' | 'utf-16be';
}

/** What an upload may hold, and one row of it. */
export interface UploadLimits {
  maxBytes: number;
  maxRows: number;
  recordMaxBytes: number;
  nameMaxLength: number;
}

/**
 * An upload as it is read: its columns are known before the first row.
 *
 * `line` is where a row begins in the file (of a list in JSON: its place, from 1). It only ever rises, so it names the
 * row, and reading the same upload again gives the same rows. Iterating rejects when the file turns out to be wrong.
 */
export interface ParsedUpload {
  columns: Columns;
  rows: AsyncIterable<ParsedRow>;
}
