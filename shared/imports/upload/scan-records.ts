import { DomainError } from '../../kernel/errors.ts';
import { type Delimiter, delimiters } from './csv-format.ts';

export interface ScannedRecord {
  /** The line on which the record begins. */
  line: number;
  /** Why the record is unusable. */
  fault?: 'row_malformed' | 'row_too_long';
}

export interface ScanResult {
  /** The records without a fault, whole, each ended by LF. */
  bytes: Buffer;
  /** All records in order, without blank lines. */
  records: ScannedRecord[];
  /** How much of the input was read: all of it, unless the scan stopped after `recordsMax` records. */
  bytesRead: number;
}

export interface RecordScanner {
  scan(input: Buffer, recordsMax?: number): ScanResult;
  /** Returns what is left after the last input. @throws DomainError `file_malformed` if a quote is still open. */
  end(): ScanResult;
  /** Before this call, comma, semicolon and tab all count as delimiters. */
  setDelimiter(delimiter: Delimiter): void;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;

/** The longest quoted value, in records of the largest size. A longer one ends the scan; a shorter one rejects its row. */
const QUOTED_MAX_RECORDS = 64;

/** The states of the scanner within a record. */
const AT_FIELD = 0;
const IN_FIELD = 1;
const IN_QUOTES = 2;
const AFTER_QUOTE = 3;
const AFTER_FIELD = 4;
const TO_LINE_END = 5;

/**
 * Splits CSV into whole records, before csv-parse splits the records into fields.
 *
 * It does what csv-parse cannot do:
 * - Tell on which line a record begins. csv-parse counts a CRLF inside quotes twice.
 * - Tell where an unclosed quote was opened.
 * - Continue after a faulty record. After one that is too long, csv-parse drops the rest of its buffer. After a misplaced
 *   quote, it reads the following rows as part of the record.
 *
 * csv-parse therefore gets well-formed records only. Every line end (LF, CRLF, CR) becomes LF. Whitespace before a
 * field and around its quotes is removed, so that the scanner and csv-parse agree on which fields are quoted. Holds at
 * most one record and the current input.
 */
export function createRecordScanner(recordMaxBytes: number): RecordScanner {
  let isDelimiter = byteTable(...delimiters);
  let isSpecial = byteTable(...delimiters, '"', '\r', '\n');
  let state = AT_FIELD;
  let line = 1;
  let recordLine = 1;
  let quoteLine = 0;
  /** How much was read before the current input, and before the current quoted value. */
  let bytesBefore = 0;
  let quoteAt = 0;
  let isBlank = true;
  let fault: ScannedRecord['fault'];
  let afterCr = false;
  /** The bytes written so far. Those from `start` on belong to the unfinished record. */
  let out = Buffer.allocUnsafe(0);
  let length = 0;
  let start = 0;

  function makeRoom(bytes: number): void {
    if (length + bytes <= out.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(length + bytes, 2 * length));
    out.copy(bigger, 0, 0, length);
    out = bigger;
  }

  /** Returns the finished records and keeps the unfinished one. */
  function takeFinished(records: ScannedRecord[], bytesRead: number): ScanResult {
    const bytes = out.subarray(0, start);
    if (start > 0) {
      const kept = Buffer.allocUnsafe(Math.max(length - start, 1024));
      out.copy(kept, 0, start, length);
      out = kept;
      length -= start;
      start = 0;
    }
    return { bytes, records, bytesRead };
  }

  function endRecord(records: ScannedRecord[]): void {
    if (fault) records.push({ line: recordLine, fault });
    else if (!isBlank) records.push({ line: recordLine });
    if (fault || isBlank) length = start;
    else {
      out[length++] = LF;
      start = length;
    }
    line++;
    recordLine = line;
    state = AT_FIELD;
    isBlank = true;
    fault = undefined;
  }

  /** A value of this length has swallowed the rows behind a missing quotation mark. */
  function requireShortValue(at: number): void {
    if (bytesBefore + at - quoteAt > QUOTED_MAX_RECORDS * recordMaxBytes) throw unclosedQuote(quoteLine);
  }

  return {
    setDelimiter(delimiter) {
      isDelimiter = byteTable(delimiter);
      isSpecial = byteTable(delimiter, '"', '\r', '\n');
    },
    scan(input, recordsMax = Number.POSITIVE_INFINITY) {
      makeRoom(input.length + 1);
      const records: ScannedRecord[] = [];
      let at = 0;
      for (; at < input.length && records.length < recordsMax; at++) {
        // Most bytes are inside a field. A tight loop copies them.
        if ((state === IN_FIELD || state === IN_QUOTES) && !fault) {
          const from = at;
          let to = length;
          while (at < input.length && !isSpecial[input[at] ?? 0]) out[to++] = input[at++] ?? 0;
          length = to;
          if (at > from) afterCr = false;
          if (length - start > recordMaxBytes) {
            fault = 'row_too_long';
            length = start;
          }
          if (at === input.length) break;
        }
        let byte = input[at] ?? 0;
        if (byte === LF && afterCr) {
          afterCr = false;
          continue;
        }
        afterCr = byte === CR;
        if (afterCr) byte = LF;

        if (byte === LF && state !== IN_QUOTES) {
          endRecord(records);
          continue;
        }
        switch (state) {
          case IN_FIELD:
            if (isDelimiter[byte]) state = AT_FIELD;
            break;
          case AT_FIELD:
            if (isDelimiter[byte]) break;
            if (byte === SPACE || byte === TAB) continue;
            if (byte === QUOTE) {
              state = IN_QUOTES;
              quoteLine = line;
              quoteAt = bytesBefore + at;
            } else state = IN_FIELD;
            break;
          case IN_QUOTES:
            if (byte === QUOTE) {
              state = AFTER_QUOTE;
              requireShortValue(at);
            } else if (byte === LF) line++;
            break;
          case AFTER_QUOTE:
          case AFTER_FIELD:
            if (byte === QUOTE && state === AFTER_QUOTE) state = IN_QUOTES;
            else if (isDelimiter[byte]) state = AT_FIELD;
            else if (byte === SPACE || byte === TAB) {
              state = AFTER_FIELD;
              continue;
            }
            // Text after a closing quote. On the line where the quote was opened, only this row is wrong. On a later
            // line, the quoted field may have swallowed other rows.
            else if (quoteLine !== line) throw unclosedQuote(quoteLine);
            else {
              fault ??= 'row_malformed';
              state = TO_LINE_END;
            }
            break;
        }
        if (byte !== SPACE && byte !== TAB && byte !== LF) isBlank = false;
        if (fault) continue;
        out[length++] = byte;
        if (length - start > recordMaxBytes) {
          fault = 'row_too_long';
          length = start;
        }
      }
      if (state === IN_QUOTES) requireShortValue(at);
      bytesBefore += at;
      return takeFinished(records, at);
    },
    end() {
      if (state === IN_QUOTES) throw unclosedQuote(quoteLine);
      makeRoom(1);
      const records: ScannedRecord[] = [];
      if (length > start || fault) endRecord(records);
      return takeFinished(records, 0);
    },
  };
}

function byteTable(...characters: string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function unclosedQuote(line: number): DomainError {
  return new DomainError(
    'file_malformed',
    `The quoted value that starts on line ${line} is not closed correctly. Add the missing quotation mark. Inside a quoted value, write each quotation mark twice ("").`,
    { members: { line } },
  );
}
