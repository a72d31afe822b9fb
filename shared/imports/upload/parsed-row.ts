import type { Delimiter, Encoding } from './csv-format.ts';
import type { RowFault } from './row-findings.ts';

export const rowFields = ['address', 'displayName', 'dailyLimit', 'reference'] as const;
export type RowField = (typeof rowFields)[number];

/** One line of an upload, parsed on its own, without looking at other lines. A row with a warning is valid. */
export type ParsedRow =
  | {
      line: number;
      ok: true;
      address: string;
      displayName?: string;
      dailyLimit?: number;
      reference?: string;
      warning?: RowFault;
    }
  | ({
      line: number;
      ok: false;
      /** These four as they were sent. A value that is too long is cut and ends in `…`. */
      address: string;
      displayName?: string;
      dailyLimitAsSent?: string;
      reference?: string;
    } & RowFault);

/** Which of our fields an upload has. */
export interface Columns {
  /** The header that each field was read from. A name in two columns has two, such as `First Name + Last Name`. */
  used: Partial<Record<RowField, string>>;
  /** Headers that Muster does not know. Customers see them, and can spot a typing error. */
  ignored: string[];
  /** Files only. `false` for a list of addresses that begins on the first line. */
  hasHeader?: boolean;
  /** CSV only. */
  delimiter?: Delimiter;
  /** CSV only. Certain when the last row was read, see `decode`. */
  readonly encoding?: Encoding;
  /** Workbooks only. */
  sheet?: string;
}

/**
 * An upload that is being read. Its columns are known before the first row, except for the encoding.
 *
 * `line` is the line on which a row begins; in a JSON list it is the row's position, counted from 1. It always rises,
 * so it identifies the row, and reading the same upload again gives the same rows. Iterating rejects if the file is
 * unreadable.
 */
export interface ParsedUpload {
  columns: Columns;
  rows: AsyncIterable<ParsedRow>;
}
