import { parseAddress } from '../../kernel/address.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Delimiter } from './csv-format.ts';
import { bareNames, type ColumnKind, columnKinds, headerAliases, normalizeHeader } from './header-names.ts';
import type { Columns, RowField } from './parsed-row.ts';

const knownHeaders: ReadonlySet<string> = new Set(columnKinds.flatMap((kind) => headerAliases[kind]));

const IGNORED_MAX = 100;
const HEADER_MAX_LENGTH = 100;
/** How many headers an error message lists. */
const LISTED_MAX = 20;

const EXAMPLE_HEADER = '"email_address,display_name,daily_limit"';

export interface ParsedHeader extends Pick<Columns, 'used' | 'ignored'> {
  /** `false` for a list of addresses that begins on the first line. */
  hasHeader: boolean;
  /** The columns that each field is read from, counted from 0. A name can be in two. */
  columnIndexes: Partial<Record<RowField, readonly number[]>>;
  columnCount: number;
}

/** Lines above the header, such as the title of a report, among which Muster looks for it. */
export const PREAMBLE_MAX = 10;

/**
 * Finds our fields among the headers of a file. When several columns match a field, the preferred one is used. The
 * other matches and all unknown headers are reported as ignored.
 *
 * If the first line is an address, and nothing else, the file has no header: it is a list of addresses.
 *
 * @throws DomainError `file_no_address_column`
 */
export function parseHeader(headers: readonly string[], delimiter: Delimiter = ','): ParsedHeader {
  const header = findHeader(headers, delimiter, true);
  if (!header) throw noAddressColumn(headers);
  return header;
}

/** Returns `undefined` if this line is not the header, nor the first line of a list of addresses. */
export function findHeader(cells: readonly string[], delimiter: Delimiter, isFirst: boolean): ParsedHeader | undefined {
  const columnIndexes = findColumns(cells.map(normalizeHeader));
  if (!columnIndexes.address) return isFirst ? findAddressList(cells, delimiter) : undefined;
  const used: Columns['used'] = {};
  for (const [field, indexes] of Object.entries(columnIndexes)) {
    used[field as RowField] = indexes.map((index) => truncate(cells[index] ?? '')).join(' + ');
  }
  const usedIndexes = new Set(Object.values(columnIndexes).flat());
  const ignored = cells.filter((header, index) => header !== '' && !usedIndexes.has(index)).slice(0, IGNORED_MAX);
  return { used, ignored: ignored.map(truncate), hasHeader: true, columnIndexes, columnCount: cells.length };
}

function findColumns(normalized: readonly string[]): ParsedHeader['columnIndexes'] {
  const find = (kind: ColumnKind): number | undefined => {
    const alias = headerAliases[kind].find((known) => normalized.includes(known));
    return alias === undefined ? undefined : normalized.indexOf(alias);
  };
  const found: ParsedHeader['columnIndexes'] = {};
  for (const field of ['address', 'dailyLimit', 'reference'] as const) {
    const index = find(field);
    if (index !== undefined) found[field] = [index];
  }
  const whole = find('displayName');
  const parts = [find('givenName'), find('familyName')].filter((index) => index !== undefined);
  const isWhole =
    whole !== undefined && !(bareNames.has(normalized[whole] ?? '') && parts.length === 2 && parts.includes(whole));
  const name = isWhole ? [whole] : parts;
  if (name.length > 0) found.displayName = name;
  return found;
}

export function countKnownHeaders(headers: readonly string[]): number {
  return headers.filter((header) => knownHeaders.has(normalizeHeader(header))).length;
}

/** A file without a header has addresses only, one on each line. The delimiter may be a part of a name. */
function findAddressList(firstLine: readonly string[], delimiter: Delimiter): ParsedHeader | undefined {
  const filled = firstLine.flatMap((cell, index) => (cell === '' ? [] : [index]));
  const addresses = filled.filter((index) => isAddressLike(firstLine[index] ?? ''));
  const line = joinCells(firstLine, delimiter);
  const isList = addresses.length === 1 && (filled.length === 1 || (/>[;,]?$/.test(line) && parseAddress(line).ok));
  if (!isList) return undefined;
  const index = filled[0] ?? 0;
  return {
    used: { address: `column ${index + 1}` },
    ignored: [],
    hasHeader: false,
    columnIndexes: { address: [index] },
    columnCount: firstLine.length,
  };
}

/** The cells of a line that has one value, which contains the delimiter or stands between empty cells. */
export function joinCells(cells: readonly string[], delimiter: Delimiter): string {
  const first = cells.findIndex((cell) => cell.trim() !== '');
  const last = cells.findLastIndex((cell) => cell.trim() !== '');
  const filled = first === -1 ? [] : cells.slice(first, last + 1);
  return filled.map((cell) => cell.trim()).join(`${delimiter} `);
}

/** An address, even if it is a faulty one or one that cannot be connected. */
function isAddressLike(cell: string): boolean {
  return parseAddress(cell).ok || /^[^\s@]+@[^\s@]+$/.test(cell);
}

function truncate(header: string): string {
  return header.length > HEADER_MAX_LENGTH ? `${header.slice(0, HEADER_MAX_LENGTH)}…` : header;
}

export function noAddressColumn(headers: readonly string[]): DomainError {
  const addresses = headers.filter((header) => header !== '' && isAddressLike(header));
  if (addresses.length > 1) {
    return new DomainError(
      'file_no_address_column',
      `The first line contains ${addresses.length} addresses. Put each address on a line of its own.`,
    );
  }
  if (addresses.length === 1) {
    return new DomainError(
      'file_no_address_column',
      `The first line contains the address "${truncate(addresses[0] ?? '')}" instead of column names. Add a header above it, such as ${EXAMPLE_HEADER}.`,
    );
  }
  const listed = headers.filter((header) => header !== '').slice(0, LISTED_MAX);
  const more = headers.length > listed.length ? ', …' : '';
  const names = listed.map((header) => `"${truncate(header)}"`).join(', ');
  const found = names && ` Its header has these columns: ${names}${more}.`;
  return new DomainError(
    'file_no_address_column',
    `The file has no address column.${found} Name the column with the addresses email_address. Muster also accepts email, address, mail, mailbox, PrimarySmtpAddress and UserPrincipalName.`,
  );
}
