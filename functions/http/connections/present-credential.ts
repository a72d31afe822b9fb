import type { z } from 'zod';
import { type Connection, hasOwnApp } from '../../../shared/connections/connection.ts';
import {
  type CertificateCredential,
  credentialStateOf,
  daysLeft,
} from '../../../shared/connections/credentials/credential.ts';
import { alertOf } from '../../../shared/connections/expiry/secret-alert.ts';
import type { nextCertificateSchema } from './certificate-schemas.ts';
import type { connectionSchema } from './connection-schemas.ts';

type Presented = z.infer<typeof connectionSchema>;

/** The credential of a connection as the API shows it: never a secret or a key. */
export function presentCredential(
  connection: Connection,
  now: Date,
  expiringWithinDays: number,
): Pick<Presented, 'clientSecret' | 'certificate' | 'nextCertificate'> {
  if (!hasOwnApp(connection)) return { clientSecret: null, certificate: null, nextCertificate: null };
  const { credential, nextCertificate } = connection;
  const alert = alertOf(connection, now);
  const lifetime = {
    daysLeft: daysLeft(credential.expiresAt, now),
    state: credentialStateOf(connection, now, expiringWithinDays),
    ...presentPrevious(connection, now),
    acknowledgedAt: alert.acknowledgedAt?.toISOString() ?? null,
    snoozedUntil: alert.snoozeEndsAt && alert.snoozeEndsAt > now ? alert.snoozeEndsAt.toISOString() : null,
  };
  return {
    clientSecret:
      credential.kind === 'clientSecret' ? { expiresAt: credential.expiresAt.toISOString(), ...lifetime } : null,
    certificate: credential.kind === 'certificate' ? { ...presentCertificate(credential), ...lifetime } : null,
    nextCertificate: nextCertificate ? presentCertificate(nextCertificate) : null,
  };
}

function presentPrevious({ previousCredential }: Connection, now: Date) {
  if (!previousCredential || previousCredential.removeAt <= now) return {};
  const { kind, expiresAt, removeAt } = previousCredential;
  const previous = {
    credential: kind,
    expiresAt: expiresAt.toISOString(),
    restorableUntil: removeAt.toISOString(),
  };
  return { previous };
}

function presentCertificate({ certificate, expiresAt }: CertificateCredential): z.infer<typeof nextCertificateSchema> {
  const { origin, thumbprint, thumbprintSha256, subject, validFromAt } = certificate;
  return {
    origin,
    thumbprint,
    thumbprintSha256,
    subject,
    validFrom: validFromAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
