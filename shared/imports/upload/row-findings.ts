/** What can be wrong with one row. The codes are part of the API. */
export const rowFindingCodes = [
  'address_missing',
  'address_malformed',
  'address_too_long',
  'consumer_domain',
  'foreign_domain',
  'domain_misspelled',
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
  /** Of a duplicate in the file: the line that has the same address and counts. */
  firstLine?: number;
  /** An address that may be meant. */
  suggestion?: string;
}

/** What becomes of a row with a finding. An accepted row has a warning: it is checked all the same. */
export const rowFindingResults = ['rejected', 'duplicate', 'accepted'] as const;
export type RowFindingResult = (typeof rowFindingResults)[number];

/** A fault and the row that has it. It concerns this row only, never the whole file. */
export interface RowFinding extends RowFault {
  line: number;
  address?: string;
  result: RowFindingResult;
}

/** How many rows have a finding with each code. Codes that no row has are left out. */
export type FindingCounts = Partial<Record<RowFindingCode, number>>;

export function countFinding(counts: FindingCounts, code: RowFindingCode): void {
  counts[code] = (counts[code] ?? 0) + 1;
}

/**
 * The catalogue of row faults. The `address_…` faults and `consumer_domain` of personal Microsoft accounts are not here:
 * they come from `parseAddress`.
 */
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
  consumerDomain: (domain: string): RowFault => ({
    code: 'consumer_domain',
    message: `${domain} is for personal mailboxes. Only mailboxes of an organization can be connected. Remove this address, or use the person's address at work.`,
  }),
  foreignDomain: (domain: string, meant: string | undefined, suggestion: string | undefined): RowFault => ({
    code: 'foreign_domain',
    message: `${domain} is not a verified domain of this tenant.${meant ? ` Did you mean ${meant}?` : ''} Correct or remove this address. If the domain was added to the tenant lately, run the connection test and upload the file again.`,
    ...(suggestion !== undefined && { suggestion }),
  }),
  misspelledDomain: (domain: string, meant: string, suggestion: string | undefined): RowFault => ({
    code: 'domain_misspelled',
    message: `Did you mean ${meant}? The address ends in ${domain}. If that is right, you need not change anything.`,
    ...(suggestion !== undefined && { suggestion }),
  }),
  misspelledWebmail: (domain: string, meant: string): RowFault => ({
    code: 'domain_misspelled',
    message: `Did you mean ${meant}? The address ends in ${domain}. If it is a personal mailbox, remove it: only mailboxes of an organization can be connected.`,
  }),
  duplicateInFile: (firstLine: number): RowFault => ({
    code: 'duplicate_in_file',
    message: `This address is already on line ${firstLine}. Remove one of the two lines.`,
    firstLine,
  }),
  duplicateInConnection: (): RowFault => ({
    code: 'duplicate_in_connection',
    message: 'This mailbox is already connected or being checked. You can remove this line.',
  }),
} as const;

function columns(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`;
}
