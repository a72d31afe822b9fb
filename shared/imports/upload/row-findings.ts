/** What can be wrong with one row. The codes are part of the API. */
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

/** A code, and a sentence for the person who edits the CSV: what is wrong, and what to do. */
export interface RowFault {
  code: RowFindingCode;
  message: string;
}

/** A fault and the row that has it. It rejects this row only, never the whole file. */
export interface RowFinding extends RowFault {
  line: number;
  address?: string;
}

/** The catalogue of row faults. The `address_…` faults are not here: they come from `parseAddress`. */
export const rowFaults = {
  nameTooLong: (maxLength: number): RowFault => ({
    code: 'name_too_long',
    message: `The name is too long. Use at most ${maxLength} characters.`,
  }),
  referenceTooLong: (maxLength: number): RowFault => ({
    code: 'reference_too_long',
    message: `The reference is too long. Use at most ${maxLength} characters.`,
  }),
  dailyLimitInvalid: (max: number): RowFault => ({
    code: 'daily_limit_invalid',
    message: `The daily limit must be a whole number from 1 to ${max}. Correct it, or leave it empty.`,
  }),
  controlCharacter: (field: 'name' | 'reference'): RowFault => ({
    code: 'row_malformed',
    message: `The ${field} contains a line break or another control character. Remove it, and check the quotation marks in this row.`,
  }),
  tooFewColumns: (count: number, headerCount: number): RowFault => ({
    code: 'row_malformed',
    message: `This row has ${columns(count)}, but the header has ${headerCount}. Add the missing columns, even if they are empty.`,
  }),
  tooManyColumns: (count: number, headerCount: number): RowFault => ({
    code: 'row_malformed',
    message: `This row has ${columns(count)}, but the header has ${headerCount}. If a value contains the separator, put quotation marks around the value.`,
  }),
  textAfterQuote: (): RowFault => ({
    code: 'row_malformed',
    message:
      'A quoted value in this row has text after its closing quotation mark. Inside a quoted value, write each quotation mark twice ("").',
  }),
  rowTooLong: (maxBytes: number): RowFault => ({
    code: 'row_too_long',
    message: `This row is longer than ${maxBytes} bytes. Check it for a missing quotation mark or line break.`,
  }),
  duplicateInFile: (firstLine: number): RowFault => ({
    code: 'duplicate_in_file',
    message: `This address is already on line ${firstLine}. Remove one of the two lines.`,
  }),
  duplicateInConnection: (): RowFault => ({
    code: 'duplicate_in_connection',
    message: 'This mailbox is already connected or being checked. You can remove this line.',
  }),
} as const;

function columns(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`;
}
