import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';

/** What the operator's key from the configuration is used for. The key itself does not leave this function. */
export function operatorKey(key: Secret) {
  const digest = createHash('sha256').update(key.reveal()).digest();
  // A derived key, so that a signature reveals nothing about the operator's key.
  const signingKey = createHmac('sha256', key.reveal()).update('muster signing key').digest();
  return {
    /** Compares in constant time. */
    isOperatorKey: (presented: string): boolean =>
      timingSafeEqual(createHash('sha256').update(presented).digest(), digest),
    /** Every instance with the same operator's key returns the same signature. */
    sign: (text: string): string => createHmac('sha256', signingKey).update(text).digest('base64url'),
  };
}
