import { parseAddress } from '../../kernel/address.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type Columns, type RowField, rowFields } from './parsed-row.ts';

/**
 * The accepted headers of each field, in normalized form and in order of preference. When an export has several address
 * columns, Exchange's primary address comes first: Graph finds the mailbox by it, even if the sign-in name differs.
 */
export const headerAliases: Record<RowField, readonly string[]> = {
  address: [
    'primarysmtpaddress',
    'primarysmtp',
    'emailaddress',
    'email',
    'mailaddress',
    'mail',
    'smtpaddress',
    'smtp',
    'mailboxaddress',
    'address',
    'mailbox',
    'emailadresse',
    'mailadresse',
    'adresseemail',
    'windowsemailaddress',
    'userprincipalname',
    'upn',
    'username',
  ],
  displayName: ['displayname', 'fullname', 'name', 'anzeigename', 'nomcomplet'],
  dailyLimit: ['dailylimit', 'dailysendlimit', 'dailysendinglimit', 'limitperday', 'limit'],
  reference: ['reference', 'ref', 'externalreference', 'externalid', 'customerreference'],
};

const knownHeaders: ReadonlySet<string> = new Set(rowFields.flatMap((field) => headerAliases[field]));

const IGNORED_MAX = 100;
const HEADER_MAX_LENGTH = 100;
/** How many headers an error message lists. */
const LISTED_MAX = 20;

const EXAMPLE_HEADER = '"email_address,display_name,daily_limit"';

export interface ParsedHeader extends Pick<Columns, 'used' | 'ignored'> {
  /** The column that each field is read from, counted from 0. */
  columnIndexes: Partial<Record<RowField, number>>;
  columnCount: number;
}

/**
 * Finds our fields among the headers of a file. When several columns match a field, the preferred one is used. The
 * other matches and all unknown headers are reported as ignored.
 *
 * @throws DomainError `file_no_address_column`
 */
export function parseHeader(headers: readonly string[]): ParsedHeader {
  const normalized = headers.map(normalize);
  const used: Columns['used'] = {};
  const columnIndexes: ParsedHeader['columnIndexes'] = {};
  for (const field of rowFields) {
    const alias = headerAliases[field].find((known) => normalized.includes(known));
    if (alias === undefined) continue;
    const index = normalized.indexOf(alias);
    columnIndexes[field] = index;
    used[field] = truncate(headers[index] ?? alias);
  }
  if (columnIndexes.address === undefined) throw noAddressColumn(headers);
  const usedIndexes = new Set(Object.values(columnIndexes));
  const ignored = headers.filter((header, index) => header !== '' && !usedIndexes.has(index)).slice(0, IGNORED_MAX);
  return { used, ignored: ignored.map(truncate), columnIndexes, columnCount: headers.length };
}

export function countKnownHeaders(headers: readonly string[]): number {
  return headers.filter((header) => knownHeaders.has(normalize(header))).length;
}

/** Removes case, whitespace and punctuation: `E-Mail Address` becomes `emailaddress`. */
function normalize(header: string): string {
  return header
    .slice(0, HEADER_MAX_LENGTH)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_\-.:"'*]/g, '');
}

function truncate(header: string): string {
  return header.length > HEADER_MAX_LENGTH ? `${header.slice(0, HEADER_MAX_LENGTH)}…` : header;
}

function noAddressColumn(headers: readonly string[]): DomainError {
  if (headers.some((header) => header !== '' && parseAddress(header).ok)) {
    return new DomainError(
      'file_no_address_column',
      `The first line contains an e-mail address instead of column names. Add a header above it, such as ${EXAMPLE_HEADER}.`,
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
