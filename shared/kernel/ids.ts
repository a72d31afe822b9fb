import { randomBytes } from 'node:crypto';
import { DomainError } from './errors.ts';

type IdKind = 'cust' | 'key' | 'conn' | 'imp' | 'claim' | 'aud';

/** What customers call the things that have an ID in a path. */
const kindNames = { cust: 'customer', key: 'API key', conn: 'connection', imp: 'import' } as const;
export type PublicIdKind = keyof typeof kindNames;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Makes IDs such as `imp_01k…`. They show their kind, sort by creation time and cannot be guessed. */
export type NewId = (kind: IdKind) => string;

/** Like a ULID: 10 characters of milliseconds, then 13 random ones, in Crockford's base 32, in lower case. */
export function createNewId(now: () => Date): NewId {
  return (kind) => {
    const random = [...randomBytes(13)].map((byte) => ALPHABET[byte % 32]).join('');
    return `${idOfInstant(kind, now())}${random}`;
  };
}

const afterKind = new RegExp(`^[${ALPHABET}]{23}$`);

/** Whether `createNewId` can have made this ID. A text that is no ID must not reach storage, which refuses some texts. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && afterKind.test(text.slice(kind.length + 1));
}

/** The one answer for an ID that does not exist, that belongs to another customer, or that is no ID. */
export function notFound(kind: PublicIdKind, context?: Record<string, string>): DomainError {
  return new DomainError('not_found', `There is no such ${kindNames[kind]}.`, context && { context });
}

/** What every ID of this kind and instant begins with. Earlier IDs sort before it. */
export function idOfInstant(kind: IdKind, instant: Date): string {
  let rest = instant.getTime();
  let time = '';
  for (let i = 0; i < 10; i++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  return `${kind}_${time}`;
}
