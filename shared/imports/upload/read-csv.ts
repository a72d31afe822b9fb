import { DomainError } from '../../kernel/errors.ts';
import type { Delimiter } from './csv-format.ts';
import { decode } from './decode.ts';
import { detectDelimiter, isTypeLine, readSepLine, splitFields } from './delimiter.ts';
import { findHeader, joinCells, noAddressColumn, type ParsedHeader, PREAMBLE_MAX } from './parse-header.ts';
import { parseRow, rejectRow } from './parse-row.ts';
import type { ParsedRow, ParsedUpload } from './parsed-row.ts';
import { rowFaults } from './row-findings.ts';
import { createRecordScanner, type RecordScanner, type ScannedRecord, type ScanResult } from './scan-records.ts';
import { limitBytes, tooManyRows, type UploadLimits } from './upload-limits.ts';

/**
 * Reads and parses a CSV from any spreadsheet while it streams in. Resolves after the header is read.
 *
 * Holds at most one piece of the file and one record. A fault in a row rejects that row. A fault in the file makes this
 * function or, later in the file, the iteration reject. Skips lines that contain only whitespace and empty cells.
 * `line` is the line on which a row begins. The header is on line 1, unless blank lines, `sep=;`, `#TYPE` or a title come first.
 *
 * @param afterLine rows up to this line are skipped. They are not parsed, which is several times faster
 * @throws DomainError `file_empty`, `file_not_text`, `file_no_address_column`, `file_malformed`, `payload_too_large`
 */
export async function readCsv(
  source: AsyncIterable<Uint8Array>,
  limits: UploadLimits,
  afterLine = 0,
): Promise<ParsedUpload> {
  const decoded = await decode(limitBytes(source, limits.maxBytes));
  const { text } = decoded;
  try {
    const scanner = createRecordScanner(limits.recordMaxBytes);
    const first = await readFirstRecord(text, scanner);
    const { used, ignored, hasHeader } = first.header;
    return {
      columns: {
        used,
        ignored,
        hasHeader,
        delimiter: first.delimiter,
        get encoding() {
          return decoded.encoding;
        },
      },
      rows: readRows(scanAll(first.rest, text, scanner), first, limits, afterLine),
    };
  } catch (error) {
    await text.return(undefined);
    throw error;
  }
}

/** The header, or the first row of a file without one. */
interface FirstRecord {
  line: number;
  fields: string[];
  header: ParsedHeader;
  delimiter: Delimiter;
  /** Bytes that were read after the header. */
  rest: Buffer;
}

async function readFirstRecord(text: AsyncGenerator<Buffer>, scanner: RecordScanner): Promise<FirstRecord> {
  let sepLine: Delimiter | undefined;
  /** The first line, if it is not the header. */
  let title: readonly string[] | undefined;
  let titles = 0;
  /** Returns `undefined` if the scan found no record, or a line above the header. */
  const toHeader = (scanned: ScanResult, rest: Buffer): FirstRecord | undefined => {
    const record = scanned.records[0];
    if (!record) return undefined;
    if (record.fault) throw title ? noAddressColumn(title) : faultyHeader(record);
    if (isTypeLine(scanned.bytes)) return undefined;
    if (!sepLine) {
      sepLine = readSepLine(scanned.bytes);
      if (sepLine) {
        scanner.setDelimiter(sepLine);
        return undefined;
      }
    }
    const delimiter = sepLine ?? detectDelimiter(scanned.bytes);
    const fields = splitFields(scanned.bytes, delimiter)[0] ?? [];
    const names = fields.map((name) => name.trim());
    const header = findHeader(names, delimiter, title === undefined);
    if (header) {
      scanner.setDelimiter(delimiter);
      return { line: record.line, fields, header, delimiter, rest };
    }
    title ??= names;
    if (++titles === PREAMBLE_MAX) throw noAddressColumn(title);
    return undefined;
  };
  for (;;) {
    const next = await text.next();
    if (next.done) break;
    let rest = next.value;
    while (rest.length > 0) {
      const scanned = scanner.scan(rest, 1);
      rest = rest.subarray(scanned.bytesRead);
      const header = toHeader(scanned, rest);
      if (header) return header;
    }
  }
  const header = toHeader(scanner.end(), Buffer.alloc(0));
  if (header) return header;
  if (title) throw noAddressColumn(title);
  throw new DomainError(
    'file_empty',
    'The file is empty. Add a header, such as "email_address,display_name,daily_limit", and one line for each mailbox.',
  );
}

function faultyHeader({ line, fault }: ScannedRecord): DomainError {
  const detail =
    fault === 'row_too_long'
      ? `The header on line ${line} is too long. Check that the file is a CSV.`
      : `The header on line ${line} has a quotation mark in the wrong place. Correct the header.`;
  return new DomainError('file_malformed', detail, { members: { line } });
}

async function* scanAll(first: Buffer, text: AsyncGenerator<Buffer>, scanner: RecordScanner) {
  try {
    yield scanner.scan(first);
    for await (const piece of text) yield scanner.scan(piece);
    yield scanner.end();
  } finally {
    await text.return(undefined);
  }
}

async function* readRows(
  scanned: AsyncIterable<ScanResult>,
  first: FirstRecord,
  limits: UploadLimits,
  afterLine: number,
): AsyncGenerator<ParsedRow> {
  const { delimiter, header } = first;
  const toRow = (line: number, fields: readonly string[]): ParsedRow =>
    header.hasHeader
      ? parseFields(line, fields, header, limits)
      : parseRow(line, { address: joinCells(fields, delimiter) }, limits);
  let count = 0;
  if (!header.hasHeader) {
    count++;
    if (first.line > afterLine) yield toRow(first.line, first.fields);
  }
  for await (const { bytes, records } of scanned) {
    if ((records.at(-1)?.line ?? 0) <= afterLine) continue;
    // The synchronous form of the same parser saves the cost of a stream for each record.
    const fieldLists = bytes.length > 0 ? splitFields(bytes, delimiter) : [];
    let next = 0;
    for (const record of records) {
      const fields = record.fault ? undefined : fieldLists[next++];
      if (record.line <= afterLine || (fields && isBlank(fields))) continue;
      if (++count > limits.maxRows) throw tooManyRows(limits.maxRows);
      yield fields ? toRow(record.line, fields) : rejectRecord(record, limits);
    }
  }
  if (count === 0 && afterLine === 0) {
    throw new DomainError('file_empty', 'The file has a header, but no mailboxes. Add one line for each mailbox.');
  }
}

function isBlank(fields: readonly string[]): boolean {
  return fields.every((field) => field.trim() === '');
}

function parseFields(
  line: number,
  fields: readonly string[],
  { columnIndexes, columnCount }: ParsedHeader,
  limits: UploadLimits,
): ParsedRow {
  const read = (indexes: readonly number[] | undefined): string | undefined =>
    indexes?.length === 1 ? fields[indexes[0] ?? 0] : indexes?.map((index) => fields[index]?.trim()).join(' ');
  const address = read(columnIndexes.address) ?? '';
  // A row with too few cells may be a line that was cut off inside its address.
  if (fields.length < columnCount) return rejectRow(line, address, rowFaults.tooFewColumns(fields.length, columnCount));
  // Empty cells after the last column are harmless.
  if (!isBlank(fields.slice(columnCount))) {
    return rejectRow(line, address, rowFaults.tooManyColumns(fields.length, columnCount));
  }
  return parseRow(
    line,
    {
      address,
      displayName: read(columnIndexes.displayName),
      dailyLimit: read(columnIndexes.dailyLimit),
      reference: read(columnIndexes.reference),
    },
    limits,
  );
}

function rejectRecord({ line, fault }: ScannedRecord, limits: UploadLimits): ParsedRow {
  const rowFault = fault === 'row_too_long' ? rowFaults.rowTooLong(limits.recordMaxBytes) : rowFaults.textAfterQuote();
  return rejectRow(line, '', rowFault);
}
