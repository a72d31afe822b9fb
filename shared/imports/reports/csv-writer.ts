import { stringify } from 'csv-stringify/sync';
import type { Delimiter } from '../upload/csv-format.ts';
import { guardFormulas } from '../upload/formula-guard.ts';

/** A column of a CSV file: its header, and its value in each row. */
export type CsvColumn<Row> = readonly [header: string, read: (row: Row) => string | number | Date | undefined];

/** Excel takes a file without it for Windows-1252. */
const BYTE_ORDER_MARK = '\uFEFF';

/** Quoted also where the file does not need it: a spreadsheet may split its lines at another delimiter. */
const needsQuotes = /[,;\t\r\n"]|^\s|\s$/;

/**
 * Writes CSV as RFC 4180 describes it, in UTF-8, so that a spreadsheet shows it well and calculates nothing in it.
 * `readCsv` gives back every value as it was, except that a text without NUL and unpaired surrogates cannot contain them.
 */
export function createCsvWriter<Row>(columns: readonly CsvColumn<Row>[], delimiter: Delimiter) {
  const write = (records: (string | number)[][]) =>
    stringify(records, { delimiter, record_delimiter: '\r\n', quoted_match: needsQuotes });
  return {
    header: () => Buffer.from(BYTE_ORDER_MARK + write([columns.map(([header]) => header)])),
    rows: (rows: readonly Row[]) =>
      Buffer.from(write(rows.map((row) => columns.map(([, read]) => toField(read(row)))))),
  };
}

function toField(value: string | number | Date | undefined): string | number {
  if (value === undefined || typeof value === 'number') return value ?? '';
  if (value instanceof Date) return value.toISOString();
  // A file with NUL in it is not text. The control character in its place says that something was replaced.
  return guardFormulas(value.replaceAll('\0', '\u001A'));
}
