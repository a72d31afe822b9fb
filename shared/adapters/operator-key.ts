import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';

/**
 * What the operator keys from the configuration are used for. The keys themselves do not leave this function.
 *
 * During a rotation two keys are valid. The current one signs; signatures of both are accepted, so a list that a caller is
 * reading continues.
 */
export function operatorKeys(current: Secret, previous?: Secret) {
  const keys = previous ? [current, previous] : [current];
  const digests = keys.map((key) => sha256(key.reveal()));
  // Derived keys, so that a signature reveals nothing about an operator key.
  const signingKeys = keys.map((key) => createHmac('sha256', key.reveal()).update('muster signing key').digest());
  const signWith = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('base64url');
  return {
    /** Compares in constant time, with every key. */
    isOperatorKey(presented: string): boolean {
      const digest = sha256(presented);
      return digests.map((one) => timingSafeEqual(digest, one)).includes(true);
    },
    /** Every instance with the same current key returns the same signature. */
    sign: (text: string): string => signWith(signingKeys[0] as Buffer, text),
    /** Compares in constant time, with every key. */
    isSigned(text: string, signature: string): boolean {
      const digest = sha256(signature);
      return signingKeys.map((key) => timingSafeEqual(digest, sha256(signWith(key, text)))).includes(true);
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
