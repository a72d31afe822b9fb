import { randomBytes } from 'node:crypto';

export type IdKind = 'cust' | 'key' | 'conn' | 'imp' | 'claim';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Makes ids that carry their kind, sort by the time they were made and cannot be guessed: `imp_01k…`. */
export type NewId = (kind: IdKind) => string;

/** 10 characters of milliseconds and 13 random ones, as a ULID has them, in Crockford's base 32, lower case. */
export function createNewId(now: () => Date): NewId {
  return (kind) => {
    let rest = now().getTime();
    let time = '';
    for (let i = 0; i < 10; i++) {
      time = ALPHABET[rest % 32] + time;
      rest = Math.floor(rest / 32);
    }
    const random = [...randomBytes(13)].map((byte) => ALPHABET[byte % 32]).join('');
    return `${kind}_${time}${random}`;
  };
}
