export const rowFindingCodes = [
  'address_missing',
  'address_malformed',
  'address_too_long',
  'address_consumer',
  'name_too_long',
  'reference_too_long',
  'daily_limit_invalid',
  'row_malformed',
  'row_too_long',
  'duplicate_in_file',
  'duplicate_in_connection',
] as const;
export type RowFindingCode = (typeof rowFindingCodes)[number];

/** What is wrong with one row or one column of an upload. A row finding never refuses the whole file. */
export interface RowFinding {
  line: number;
  address?: string;
  code: RowFindingCode;
  message: string;
}

/** One line of an upload, parsed on its own: without looking at other lines or at the connection. */
export type ParsedRow =
  | { line: number; ok: true; address: string; displayName?: string; dailyLimit?: number; reference?: string }
  | { line: number; ok: false; address: string; reference?: string; code: RowFindingCode; message: string };

/** Which of our fields an upload has. */
export interface Columns {
  /** The header that each field was read from. */
  used: Partial<Record<'address' | 'displayName' | 'dailyLimit' | 'reference', string>>;
  /** Headers that Muster does not know. Reported so that a typing error is seen. */
  ignored: string[];
  /** CSV only. */
  delimiter?: ',' | ';' | '\t';
  /** CSV only. */
  encoding?: 'utf-8' | 'utf-16le' | 'utf-16be';
}

/** Limits on an upload, and on one row of it. */
export interface UploadLimits {
  maxBytes: number;
  maxRows: number;
  recordMaxBytes: number;
  nameMaxLength: number;
}

/**
 * An upload while it is read. Its columns are known before the first row.
 *
 * `line` is where a row begins in the file; in a JSON list it is the row's place, counted from 1. It only ever rises, so it
 * identifies the row, and reading the same upload again gives the same rows. Iterating rejects when the file is unreadable.
 */
export interface ParsedUpload {
  columns: Columns;
  rows: AsyncIterable<ParsedRow>;
}
