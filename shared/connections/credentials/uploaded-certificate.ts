import { DomainError } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateCredential } from './credential.ts';
import { newSecretVersion } from './secret-vault.ts';

/** A certificate with its private key, as a customer sends it. */
export type CertificateFile = { source: 'pem'; pem: Secret } | { source: 'pfx'; pfx: Uint8Array; password: Secret };

/** A certificate that the customer has made, with its private key. */
export interface UploadedCertificate {
  certificate: Certificate;
  expiresAt: Date;
  key: { type: string; bits?: number };
  /** The certificate and its key, as PEM. */
  pem: Secret;
}

/**
 * Reads a certificate and the private key that belongs to it.
 *
 * @throws DomainError `validation_failed` with what is wrong with the file or its password
 */
export type ReadCertificateFile = (file: CertificateFile) => Promise<UploadedCertificate>;

/** What Entra accepts for apps: RSA only. Larger keys only cost time. */
const BITS = { min: 2048, max: 4096 };

/**
 * Reads a certificate that can be a credential.
 *
 * @throws DomainError `validation_failed` with everything that is wrong with it
 */
export async function readUpload(
  deps: { readCertificateFile: ReadCertificateFile; clock: { now(): Date } },
  file: CertificateFile,
): Promise<UploadedCertificate> {
  const uploaded = await deps.readCertificateFile(file);
  const { key, certificate, expiresAt } = uploaded;
  const now = deps.clock.now();
  const faults = [
    key.type !== 'rsa' && `has a key of the type ${key.type}. Microsoft Entra accepts only RSA.`,
    key.bits !== undefined &&
      (key.bits < BITS.min || key.bits > BITS.max) &&
      `has a key of ${key.bits} bits. It must have ${BITS.min} to ${BITS.max}.`,
    expiresAt <= now && `has expired on ${expiresAt.toISOString().slice(0, 10)}`,
    certificate.validFromAt > now && `is valid only from ${certificate.validFromAt.toISOString()}`,
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw unusableCertificate(file.source, ...faults);
  return uploaded;
}

/** @param field the field of `certificate` that is wrong */
export function unusableCertificate(field: 'pem' | 'pfx' | 'password', ...messages: string[]): DomainError {
  return new DomainError('validation_failed', 'The certificate cannot be used.', {
    fields: messages.map((message) => ({ path: `certificate.${field}`, message })),
  });
}

export function toCredential({ certificate, expiresAt }: UploadedCertificate): CertificateCredential {
  return { kind: 'certificate', version: newSecretVersion(), expiresAt, certificate };
}
