import { parseAddress } from '../../kernel/address.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Columns } from './parsed-row.ts';

export type Field = keyof Columns['used'];

/**
 * The names a column may have, without case, blanks and punctuation; the most telling first. Where an export has
 * several addresses, Exchange's primary one is what Graph finds the mailbox by, whatever the sign-in name is.
 */
const aliases: Record<Field, readonly string[]> = {
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

const fieldOf: ReadonlyMap<string, Field> = new Map(
  (Object.keys(aliases) as Field[]).flatMap((field) => aliases[field].map((alias) => [alias, field] as const)),
);

const IGNORED_MOST = 100;
const NAME_SHOWN = 100;

export interface ReadHeaders {
  used: Columns['used'];
  ignored: string[];
  /** At which place each of our fields stands. */
  places: Partial<Record<Field, number>>;
  count: number;
}

/**
 * Finds our fields among the headers of a file. A field that several columns could give is read from the most telling
 * one; the others are ignored and reported, as is what we do not know.
 *
 * @throws DomainError `file_no_address_column`
 */
export function readHeaders(headers: readonly string[]): ReadHeaders {
  const names = headers.map(normalise);
  const used: Columns['used'] = {};
  const places: ReadHeaders['places'] = {};
  for (const field of Object.keys(aliases) as Field[]) {
    const alias = aliases[field].find((known) => names.includes(known));
    if (alias === undefined) continue;
    const place = names.indexOf(alias);
    places[field] = place;
    used[field] = shown(headers[place] ?? alias);
  }
  if (places.address === undefined) throw noAddressColumn(headers);
  const taken = new Set(Object.values(places));
  const ignored = headers.filter((header, place) => header !== '' && !taken.has(place)).slice(0, IGNORED_MOST);
  return { used, ignored: ignored.map(shown), places, count: headers.length };
}

export function countKnown(headers: readonly string[]): number {
  return headers.filter((header) => fieldOf.has(normalise(header))).length;
}

function normalise(header: string): string {
  return header
    .slice(0, NAME_SHOWN)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_\-.:"'*]/g, '');
}

function shown(header: string): string {
  return header.length > NAME_SHOWN ? `${header.slice(0, NAME_SHOWN)}…` : header;
}

function noAddressColumn(headers: readonly string[]): DomainError {
  const accepted = 'email_address, email, address, mail, mailbox, PrimarySmtpAddress, UserPrincipalName';
  if (headers.some((header) => header !== '' && parseAddress(header).ok)) {
    return new DomainError(
      'file_no_address_column',
      `The first line must name the columns, but it holds an address already. Put a line such as "email_address,display_name,daily_limit" above it. Names of the address column that are understood: ${accepted}.`,
    );
  }
  const seen = headers.filter((header) => header !== '').slice(0, 20);
  const more = headers.length > seen.length ? ', …' : '';
  return new DomainError(
    'file_no_address_column',
    `No column has the addresses: the first line names ${seen.map((header) => `"${shown(header)}"`).join(', ')}${more}. Call the column with the addresses email_address. Names that are understood: ${accepted}.`,
  );
}
