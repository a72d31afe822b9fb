import { parse } from 'csv-parse/sync';
import { DomainError } from '../../kernel/errors.ts';
import { countKnown } from './headers.ts';

export const delimiters = [',', ';', '\t'] as const;
export type Delimiter = (typeof delimiters)[number];

/** Splits sound records, each ended by LF, into their fields, with quotes undone. */
export function splitFields(records: Buffer, delimiter: Delimiter): string[][] {
  return parse(records, {
    delimiter,
    record_delimiter: '\n',
    max_record_size: 0,
    // A quote inside an unquoted field is a character like any other, as spreadsheets have it.
    relax_quotes: true,
    // The reader says what is wrong with a row of another length.
    relax_column_count: true,
  });
}

/**
 * Reads Excel's own first line `sep=;`, which names the delimiter; `undefined` for any other line.
 *
 * @throws DomainError `file_malformed` when it names one that we do not take.
 */
export function readSepLine(record: Buffer): Delimiter | undefined {
  const named = /^"?sep=(.)"?[,;\t ]*\n$/i.exec(record.toString())?.[1];
  if (named === undefined) return undefined;
  const delimiter = delimiters.find((known) => known === named);
  if (delimiter) return delimiter;
  throw new DomainError(
    'file_malformed',
    `The first line says that columns are separated by "${named}". Save the file with comma, semicolon or tab.`,
  );
}

/**
 * Tells the delimiter from the header: the one that makes most headers known to us, then the one that makes most
 * columns, then comma before semicolon before tab. Counting characters alone would err on `email;"name, full"`.
 */
export function detectDelimiter(header: Buffer): Delimiter {
  const candidates = delimiters.map((delimiter) => {
    const fields = splitFields(header, delimiter)[0] ?? [];
    return { delimiter, known: countKnown(fields), columns: fields.length };
  });
  candidates.sort((a, b) => b.known - a.known || b.columns - a.columns);
  return candidates[0]?.delimiter ?? ',';
}
