import { createHash, randomBytes } from 'node:crypto';
import { DomainError } from './errors.ts';

type IdKind = 'cust' | 'key' | 'conn' | 'imp' | 'act' | 'upl' | 'claim' | 'aud' | 'hook' | 'evt';

/** What customers call the things that have an ID in a path. */
const kindNames = {
  cust: 'customer',
  key: 'API key',
  conn: 'connection',
  imp: 'import',
  act: 'mailbox action',
  hook: 'webhook',
  evt: 'delivery',
} as const;
export type PublicIdKind = keyof typeof kindNames;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_LENGTH = 13;

/** Makes IDs such as `imp_01k…`. They show their kind, sort by creation time and cannot be guessed. */
export type NewId = (kind: IdKind) => string;

/** Like a ULID: 10 characters of milliseconds, then 13 random ones, in Crockford's base 32, in lower case. */
export function createNewId(now: () => Date): NewId {
  return (kind) => formatId(kind, now(), randomBytes(RANDOM_LENGTH));
}

/**
 * Makes the IDs of one request. The same seed and time give the same IDs again, in the same order, so that a request
 * that is repeated after a lost answer or a crash meets its own records instead of adding new ones.
 *
 * @param seed must be unique to the request, and known to nobody else if the IDs are not to be guessed
 */
export function createRepeatableIds(seed: string, begunAt: Date): NewId {
  let serial = 0;
  return (kind) => {
    const digest = createHash('sha256').update(`${kind}\n${serial++}\n${seed}`).digest();
    return formatId(kind, begunAt, digest.subarray(0, RANDOM_LENGTH));
  };
}

const afterKind = /^[0-9a-z]{1,40}$/;

/** Whether a text has the form of an ID. One that has not must not reach storage, which refuses some texts. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && afterKind.test(text.slice(kind.length + 1));
}

/** The one answer for an ID that does not exist, that belongs to another customer, or that is no ID. */
export function notFound(kind: PublicIdKind, context?: Record<string, string>): DomainError {
  return new DomainError('not_found', `There is no such ${kindNames[kind]}.`, context && { context });
}

function formatId(kind: IdKind, at: Date, random: Uint8Array): string {
  return `${idOfInstant(kind, at)}${[...random].map((byte) => ALPHABET[byte % 32]).join('')}`;
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
