import { X509Certificate } from 'node:crypto';

/** `made`: our key vault has made the key, and never releases it. `uploaded`: the customer has made it. */
export const certificateOrigins = ['made', 'uploaded'] as const;
type CertificateOrigin = (typeof certificateOrigins)[number];

/** The public part of a certificate. */
export interface Certificate {
  origin: CertificateOrigin;
  /** As Entra shows it: SHA-1, in upper-case hex. */
  thumbprint: string;
  /** SHA-256, in upper-case hex. */
  thumbprintSha256: string;
  subject: string;
  validFromAt: Date;
  /** The certificate itself: DER, in base64. */
  der: string;
  /** Which key the vault signs with. Only if the vault has made it. */
  keyVersion?: string;
}

/** Reads what a certificate says about itself. */
export function readCertificate(
  der: Uint8Array,
  origin: CertificateOrigin,
): { certificate: Certificate; expiresAt: Date } {
  const read = new X509Certificate(der);
  const certificate = {
    origin,
    thumbprint: read.fingerprint.replaceAll(':', ''),
    thumbprintSha256: read.fingerprint256.replaceAll(':', ''),
    subject: oneLine(read.subject),
    validFromAt: read.validFromDate,
    der: Buffer.from(der).toString('base64'),
  };
  return { certificate, expiresAt: read.validToDate };
}

const SUBJECT_MAX_LENGTH = 500;

/** Node writes one name on each line. */
function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ').slice(0, SUBJECT_MAX_LENGTH).toWellFormed();
}

/** The certificate in the form that files with the extension `.pem` have. */
export function toPem({ der }: Pick<Certificate, 'der'>): string {
  return `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}
