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
export type JudgedRow =
  | { line: number; ok: true; address: string; displayName?: string; dailyLimit?: number; reference?: string }
  | { line: number; ok: false; address: string; reference?: string; code: RowFindingCode; message: string };

/** What the header row of a CSV said. */
export interface Columns {
  /** Which header each of our fields was read from. */
  used: Partial<Record<'address' | 'displayName' | 'dailyLimit' | 'reference', string>>;
  /** Headers we do not know, reported so that a typing error is seen. */
  ignored: string[];
  delimiter: ',' | ';' | '\t';
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be';
}

/** An upload as it is read: its columns are known before the first row. */
export interface UploadReading {
  columns: Columns;
  rows: AsyncIterable<JudgedRow>;
}
