import { parse } from 'csv-parse/sync';
import { DomainError } from '../../kernel/errors.ts';
import { type Delimiter, delimiters } from './csv-format.ts';
import { removeGuard } from './formula-guard.ts';
import { countKnownHeaders } from './parse-header.ts';

const APOSTROPHE = 0x27;

/**
 * Splits well-formed records into their unquoted fields, without the apostrophes that guard them against being taken for
 * formulas. Each record must end with LF.
 */
export function splitFields(records: Buffer, delimiter: Delimiter): string[][] {
  const rows: string[][] = parse(records, {
    delimiter,
    record_delimiter: '\n',
    max_record_size: 0,
    // A quote inside an unquoted field is an ordinary character, as in spreadsheets.
    relax_quotes: true,
    // `readCsv` reports rows with a different number of columns.
    relax_column_count: true,
  });
  return records.includes(APOSTROPHE) ? rows.map((fields) => fields.map(removeGuard)) : rows;
}

/** Whether this is the first line of Windows PowerShell's `Export-Csv`, which names the type of what was exported. */
export function isTypeLine(record: Buffer): boolean {
  return /^"?#TYPE\s/i.test(record.subarray(0, 10).toString());
}

/**
 * Reads the delimiter from the first line `sep=;`, which Excel writes. Returns `undefined` for any other line.
 *
 * @throws DomainError `file_malformed` if the line names an unsupported delimiter
 */
export function readSepLine(record: Buffer): Delimiter | undefined {
  const separator = /^"?sep=(.)"?[,;\t ]*\n$/i.exec(record.toString())?.[1];
  if (separator === undefined) return undefined;
  const delimiter = delimiters.find((supported) => supported === separator);
  if (delimiter) return delimiter;
  throw new DomainError(
    'file_malformed',
    `The first line sets "${separator}" as the separator, which is not supported. Save the file with commas, semicolons, tabs or | as separators.`,
  );
}

/**
 * Detects the delimiter from the header: the one that gives the most known headers, then the one that gives the most
 * columns, then comma before semicolon before tab before |. Counting characters would go wrong on `email;"name, full"`.
 */
export function detectDelimiter(header: Buffer): Delimiter {
  const candidates = delimiters.map((delimiter) => {
    const fields = splitFields(header, delimiter)[0] ?? [];
    return { delimiter, known: countKnownHeaders(fields), columns: fields.length };
  });
  candidates.sort((a, b) => b.known - a.known || b.columns - a.columns);
  return candidates[0]?.delimiter ?? ',';
}
