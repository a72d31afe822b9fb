import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY = /^muster_(cust_[0-9a-z]{1,40})_(key_[0-9a-z]{1,40})_[A-Za-z0-9_-]{43}$/;

/**
 * Makes up a key: `muster_{customer}_{key}_{256 random bits}`. The ids in it say where its hash lies, so verifying it
 * takes one read; the prefix lets a secret scanner recognise it.
 */
export function createKeyText(customerId: string, keyId: string): string {
  return `muster_${customerId}_${keyId}_${randomBytes(32).toString('base64url')}`;
}

/** Where the key's hash would lie; `undefined` for a text that cannot be a key. */
export function parseKeyText(text: string): { customerId: string; keyId: string } | undefined {
  const [, customerId, keyId] = KEY.exec(text) ?? [];
  return customerId && keyId ? { customerId, keyId } : undefined;
}

/** Keys are 256 random bits: a fast hash is enough, there is nothing to guess. */
export function hashKey(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** In constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
