import { DomainError } from '../../kernel/errors.ts';

/** Where a record begins, and why it cannot be used. A record with a fault is not among the bytes. */
export interface RecordMark {
  line: number;
  fault?: 'row_malformed' | 'row_too_long';
}

export interface ScannedRecords {
  /** Whole records that are sound, each ended by LF. */
  bytes: Buffer;
  /** All records, in order; blank lines are none. */
  marks: RecordMark[];
  /** How much of the input was used: all, unless `most` records were found before. */
  used: number;
}

export interface RecordScanner {
  scan(input: Buffer, most?: number): ScannedRecords;
  /** What is left when the input has ended. @throws DomainError `file_malformed` when a quote is still open. */
  end(): ScannedRecords;
  /** Until the header has told it, each of the three is taken for a delimiter. */
  setDelimiter(delimiter: ',' | ';' | '\t'): void;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;

/** Where in a record the scanner is. */
const AT_FIELD = 0;
const IN_FIELD = 1;
const IN_QUOTES = 2;
const AFTER_QUOTE = 3;
const AFTER_FIELD = 4;
const TO_LINE_END = 5;

/**
 * Cuts CSV into whole records, before csv-parse takes their fields apart.
 *
 * It knows what csv-parse cannot tell: on which line a record begins (csv-parse counts a CRLF inside quotes twice),
 * where a quote was opened that is never closed, and how to go on after one record that is too long or has a broken
 * quote: csv-parse drops the rest of its buffer after the former and swallows the following rows after the latter. So
 * csv-parse sees sound records only. Whatever ends a line (LF, CRLF, CR) becomes LF, and blanks before a field and
 * around its quotes are left out, so that both agree on what is quoted. Holds at most one record and the input at hand.
 */
export function createRecordScanner(recordMaxBytes: number): RecordScanner {
  let isDelimiter = tableOf(',', ';', '\t');
  let isSpecial = tableOf(',', ';', '\t', '"', '\r', '\n');
  let state = AT_FIELD;
  let line = 1;
  let recordLine = 1;
  let quoteLine = 0;
  let isBlank = true;
  let fault: RecordMark['fault'];
  let afterCr = false;
  /** Bytes written; those from `start` on belong to the record that is not complete yet. */
  let out = Buffer.allocUnsafe(0);
  let length = 0;
  let start = 0;

  function makeRoom(bytes: number): void {
    if (length + bytes <= out.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(length + bytes, 2 * length));
    out.copy(bigger, 0, 0, length);
    out = bigger;
  }

  /** Hands over the finished records and keeps the unfinished one. */
  function take(marks: RecordMark[], used: number): ScannedRecords {
    const bytes = out.subarray(0, start);
    if (start > 0) {
      const kept = Buffer.allocUnsafe(Math.max(length - start, 1024));
      out.copy(kept, 0, start, length);
      out = kept;
      length -= start;
      start = 0;
    }
    return { bytes, marks, used };
  }

  function endRecord(marks: RecordMark[]): void {
    if (fault) marks.push({ line: recordLine, fault });
    else if (!isBlank) marks.push({ line: recordLine });
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

  return {
    setDelimiter(delimiter) {
      isDelimiter = tableOf(delimiter);
      isSpecial = tableOf(delimiter, '"', '\r', '\n');
    },
    scan(input, most = Number.POSITIVE_INFINITY) {
      makeRoom(input.length + 1);
      const marks: RecordMark[] = [];
      let at = 0;
      for (; at < input.length && marks.length < most; at++) {
        // Most bytes are the inside of a field: they are copied in a tight loop of their own.
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
          endRecord(marks);
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
            } else state = IN_FIELD;
            break;
          case IN_QUOTES:
            if (byte === QUOTE) state = AFTER_QUOTE;
            else if (byte === LF) line++;
            break;
          case AFTER_QUOTE:
          case AFTER_FIELD:
            if (byte === QUOTE && state === AFTER_QUOTE) state = IN_QUOTES;
            else if (isDelimiter[byte]) state = AT_FIELD;
            else if (byte === SPACE || byte === TAB) {
              state = AFTER_FIELD;
              continue;
            }
            // On the line where it was opened only this row is wrong; further down rows would be lost in the field.
            else if (quoteLine !== line) throw notClosed(quoteLine);
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
      return take(marks, at);
    },
    end() {
      if (state === IN_QUOTES) throw notClosed(quoteLine);
      makeRoom(1);
      const marks: RecordMark[] = [];
      if (length > start || fault) endRecord(marks);
      return take(marks, 0);
    },
  };
}

function tableOf(...characters: string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function notClosed(line: number): DomainError {
  return new DomainError(
    'file_malformed',
    `The quote that is opened on line ${line} is not closed where its field ends. Close it, or write a quote inside a quoted field twice.`,
    { members: { line } },
  );
}
