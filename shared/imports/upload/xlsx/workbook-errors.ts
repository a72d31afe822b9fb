import { DomainError } from '../../../kernel/errors.ts';

/** A workbook that Excel would not open either, or only after a repair. */
export function damagedWorkbook(what: string, cause?: unknown): DomainError {
  return new DomainError(
    'file_malformed',
    `The Excel workbook is damaged: ${what}. Open it in Excel, save it again, and upload it. Or save it as "CSV UTF-8 (comma delimited)".`,
    { cause },
  );
}

export function unpacksTooLarge(maxBytes: number): DomainError {
  return new DomainError(
    'payload_too_large',
    `The Excel workbook unpacks to too much data. Muster reads at most ${maxBytes} bytes of it. Keep only the columns that are needed, or save the sheet as "CSV UTF-8 (comma delimited)".`,
    { members: { maxBytes } },
  );
}
