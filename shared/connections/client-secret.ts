import type { CauseCode } from '../causes/causes.ts';
import type { ClientSecretState, Connection } from './connection.ts';

const DAY_MS = 86_400_000;

/** Whole days until a client secret expires, rounded down. Negative if it has expired. */
export function daysLeft(expiresAt: Date, now: Date): number {
  return Math.floor((expiresAt.getTime() - now.getTime()) / DAY_MS);
}

export function secretState(expiresAt: Date, now: Date, expiringWithinDays: number): ClientSecretState {
  if (expiresAt <= now) return 'expired';
  return expiresAt.getTime() - now.getTime() <= expiringWithinDays * DAY_MS ? 'expiring' : 'valid';
}

/** The same for a connection: what Microsoft says counts more than the date that somebody typed. */
export function clientSecretStateOf(
  { clientSecretExpiresAt, finding }: Pick<Connection, 'clientSecretExpiresAt' | 'finding'>,
  now: Date,
  expiringWithinDays: number,
): ClientSecretState {
  if (finding?.cause === 'secret_expired') return 'expired';
  return secretState(clientSecretExpiresAt, now, expiringWithinDays);
}

/** What is wrong with a credential. A new credential ends it. */
export const credentialCauses: ReadonlySet<string> = new Set<CauseCode>([
  'secret_wrong',
  'secret_expired',
  'secret_missing',
  'certificate_wrong',
]);

/**
 * Whether a text has the form of a Secret ID, which is a GUID. The portal shows the ID next to the Value, and a Value
 * never has that form.
 */
export function isSecretId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim());
}
