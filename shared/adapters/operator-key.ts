import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';

/** What the operator's key of the configuration is good for; the key itself stays in here. */
export function operatorKey(key: Secret) {
  const digest = createHash('sha256').update(key.reveal()).digest();
  // A key of its own, so that no signature says anything about the operator's.
  const signingKey = createHmac('sha256', key.reveal()).update('muster signing key').digest();
  return {
    /** In constant time. */
    isOperatorKey: (presented: string): boolean =>
      timingSafeEqual(createHash('sha256').update(presented).digest(), digest),
    /** The same on every instance, and as long as the operator's key is. */
    sign: (text: string): string => createHmac('sha256', signingKey).update(text).digest('base64url'),
  };
}
