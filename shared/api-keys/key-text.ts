import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY = /^muster_(cust_[0-9a-z]{1,40})_(key_[0-9a-z]{1,40})_[A-Za-z0-9_-]{43}$/;

/**
 * Generates a key: `muster_{customer}_{key}_{256 random bits}`. Its IDs lead to its hash, so verifying it takes one
 * read. Its prefix lets secret scanners recognize it.
 */
export function createKeyText(customerId: string, keyId: string): string {
  return `muster_${customerId}_${keyId}_${randomBytes(32).toString('base64url')}`;
}

/** The IDs in a key. `undefined` if the text is not a key. */
export function parseKeyText(text: string): { customerId: string; keyId: string } | undefined {
  const [, customerId, keyId] = KEY.exec(text) ?? [];
  return customerId && keyId ? { customerId, keyId } : undefined;
}

/** A fast hash is enough: nobody can guess 256 random bits. */
export function hashKey(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Compares in constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
