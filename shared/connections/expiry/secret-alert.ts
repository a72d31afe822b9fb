import type { OwnConnection } from '../connection.ts';

/** What people were told about the expiry of one credential, and what they said to it. */
export interface SecretAlert {
  /** The expiry that this is about. Another expiry begins anew. */
  expiresAt: Date;
  /** When the credential was first seen. Its lifetime counts from here. */
  seenAt: Date;
  /** Thresholds up to this instant were told. */
  toldAt?: Date;
  /** Set when people were told that it has expired. */
  expiredToldAt?: Date;
  acknowledgedAt?: Date;
  /** No notice until then. */
  snoozeEndsAt?: Date;
}

/** The alert of the credential in use. A new one, or another expiry, begins without notices. */
export function alertOf(connection: OwnConnection, now: Date): SecretAlert {
  const { secretAlert, createdAt } = connection;
  const { expiresAt } = connection.credential;
  if (secretAlert?.expiresAt.getTime() === expiresAt.getTime()) return secretAlert;
  const isFirst = secretAlert === undefined && connection.previousCredential === undefined;
  return { expiresAt, seenAt: isFirst ? createdAt : now };
}
