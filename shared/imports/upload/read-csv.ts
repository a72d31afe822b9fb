import { DomainError } from '../../kernel/errors.ts';
import { atMost } from './at-most.ts';
import { tooManyRows } from './canonical-rows.ts';
import { decode } from './decode.ts';
import { type Delimiter, detectDelimiter, readSepLine, splitFields } from './delimiter.ts';
import { type ReadHeaders, readHeaders } from './headers.ts';
import { parseRow } from './parse-row.ts';
import type { ParsedRow, ParsedUpload, UploadLimits } from './parsed-row.ts';
import { createRecordScanner, type RecordMark, type RecordScanner, type ScannedRecords } from './scan-records.ts';

/**
 * Reads a CSV as it arrives, whatever spreadsheet it comes from, and judges each row: resolves once the header is read.
 *
 * Never more than a piece of the file and one record are held. A row's fault is a rejected row; what is wrong with the
 * file rejects, from here where the beginning tells, otherwise from the iteration. Lines of blanks and empty cells only
 * are left out. `line` is where a row begins; the header is on line 1 unless blank lines or `sep=;` stand above it.
 *
 * @throws DomainError `file_empty`, `file_not_text`, `file_no_address_column`, `file_malformed`, `payload_too_large`
 */
export async function readCsv(source: AsyncIterable<Uint8Array>, limits: UploadLimits): Promise<ParsedUpload> {
  const { encoding, text } = await decode(atMost(source, limits.maxBytes));
  try {
    const scanner = createRecordScanner(limits.recordMaxBytes);
    const { header, delimiter, rest } = await readHead(text, scanner);
    const headers = readHeaders(header);
    return {
      columns: { used: headers.used, ignored: headers.ignored, delimiter, encoding },
      rows: readRows(scan(rest, text, scanner), delimiter, headers, limits),
    };
  } catch (error) {
    await text.return(undefined);
    throw error;
  }
}

interface Head {
  header: string[];
  delimiter: Delimiter;
  /** What was read beyond the header. */
  rest: Buffer;
}

async function readHead(text: AsyncGenerator<Buffer>, scanner: RecordScanner): Promise<Head> {
  let named: Delimiter | undefined;
  const take = (scanned: ScannedRecords, rest: Buffer): Head | undefined => {
    const mark = scanned.marks[0];
    if (!mark) return undefined;
    if (mark.fault) throw brokenHeader(mark);
    if (!named) {
      named = readSepLine(scanned.bytes);
      if (named) {
        scanner.setDelimiter(named);
        return undefined;
      }
    }
    const delimiter = named ?? detectDelimiter(scanned.bytes);
    scanner.setDelimiter(delimiter);
    const header = splitFields(scanned.bytes, delimiter)[0] ?? [];
    return { header: header.map((name) => name.trim()), delimiter, rest };
  };
  for (;;) {
    const next = await text.next();
    if (next.done) break;
    let rest = next.value;
    while (rest.length > 0) {
      const scanned = scanner.scan(rest, 1);
      rest = rest.subarray(scanned.used);
      const head = take(scanned, rest);
      if (head) return head;
    }
  }
  const head = take(scanner.end(), Buffer.alloc(0));
  if (head) return head;
  throw new DomainError(
    'file_empty',
    'The file is empty. It needs a line that names the columns, such as "email_address,display_name,daily_limit", and one line for each mailbox.',
  );
}

function brokenHeader({ line, fault }: RecordMark): DomainError {
  const detail =
    fault === 'row_too_long'
      ? `Line ${line}, which should name the columns, is too long. Is this a CSV?`
      : `Line ${line}, which should name the columns, has a quote in the wrong place.`;
  return new DomainError('file_malformed', detail, { members: { line } });
}

async function* scan(first: Buffer, text: AsyncGenerator<Buffer>, scanner: RecordScanner) {
  try {
    yield scanner.scan(first);
    for await (const piece of text) yield scanner.scan(piece);
    yield scanner.end();
  } finally {
    await text.return(undefined);
  }
}

async function* readRows(
  scanned: AsyncIterable<ScannedRecords>,
  delimiter: Delimiter,
  headers: ReadHeaders,
  limits: UploadLimits,
): AsyncGenerator<ParsedRow> {
  let count = 0;
  for await (const { bytes, marks } of scanned) {
    // The synchronous form on whole records: the same parser, without a stream's cost for each record.
    const records = bytes.length > 0 ? splitFields(bytes, delimiter) : [];
    let next = 0;
    for (const mark of marks) {
      const fields = mark.fault ? undefined : records[next++];
      if (fields && isBlank(fields)) continue;
      if (++count > limits.maxRows) throw tooManyRows(limits.maxRows);
      yield fields ? judgeFields(mark.line, fields, headers, limits) : rejected(mark, limits);
    }
  }
  if (count === 0) {
    throw new DomainError('file_empty', 'The file names its columns but has no rows. Add one line for each mailbox.');
  }
}

function isBlank(fields: readonly string[]): boolean {
  return fields.every((field) => field.trim() === '');
}

function judgeFields(line: number, fields: readonly string[], headers: ReadHeaders, limits: UploadLimits): ParsedRow {
  const { places } = headers;
  const at = (place: number | undefined): string | undefined => (place === undefined ? undefined : fields[place]);
  const address = at(places.address) ?? '';
  // Empty cells beyond the last column mean nothing; too few cells may be a line that was cut off in its address.
  if (fields.length < headers.count || !isBlank(fields.slice(headers.count))) {
    const message = `This row has ${fields.length} columns, the first line has ${headers.count}. Quote a value that contains the separator, and give every row all columns.`;
    return { line, ok: false, address: address.trim().slice(0, 320), code: 'row_malformed', message };
  }
  return parseRow(
    line,
    {
      address,
      displayName: at(places.displayName),
      dailyLimit: at(places.dailyLimit),
      reference: at(places.reference),
    },
    limits,
  );
}

function rejected(mark: RecordMark, limits: UploadLimits): ParsedRow {
  const message =
    mark.fault === 'row_too_long'
      ? `This row is longer than ${limits.recordMaxBytes} bytes. Is a quote missing, or a line break?`
      : 'A quoted value in this row goes on after its closing quote. Write a quote inside a quoted value twice.';
  return { line: mark.line, ok: false, address: '', code: mark.fault ?? 'row_malformed', message };
}
