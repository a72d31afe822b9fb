import { randomBytes } from 'node:crypto';

type IdKind = 'cust' | 'key' | 'conn' | 'imp' | 'claim' | 'aud';

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
