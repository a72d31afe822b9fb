import type { z } from 'zod';
import type { NewCredential } from '../../shared/connections/register-connection.ts';
import { type ReadCertificateFile, readUpload } from '../../shared/connections/uploaded-certificate.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Secret } from '../../shared/kernel/secret.ts';
import { newCertificate } from './certificate-schemas.ts';

interface CredentialFields {
  clientSecret?: Secret | undefined;
  clientSecretExpiresAt?: Date | undefined;
  certificate?: z.output<typeof newCertificate> | undefined;
}

/** The fields of the credential of a new connection. Of these, `withCredential` wants exactly one credential. */
export function optionalCredential<S extends z.ZodType, E extends z.ZodType>(fields: {
  clientSecret: S;
  clientSecretExpiresAt: E;
}) {
  return {
    clientSecret: fields.clientSecret.optional(),
    clientSecretExpiresAt: fields.clientSecretExpiresAt.optional(),
    certificate: newCertificate.optional().meta({ description: 'A certificate instead of a client secret.' }),
  };
}

/** Also beside other faults, so that all are told together. */
const always = { when: () => true };

/** Refuses a registration without a whole credential, or with two. */
export function withCredential<Body extends CredentialFields>(schema: z.ZodType<Body>): z.ZodType<Body> {
  const isGiven = (body: Body | undefined, field: keyof CredentialFields) => body?.[field] !== undefined;
  const needs = (path: 'clientSecret' | 'clientSecretExpiresAt') => ({
    isThere: (body: Body) => isGiven(body, path) || isGiven(body, 'certificate'),
    isAlone: (body: Body) => !isGiven(body, path) || !isGiven(body, 'certificate'),
    missing: { path: [path], error: 'is required', ...always },
    second: { path: [path], error: 'is not for a connection with a certificate', ...always },
  });
  const [secret, expiry] = [needs('clientSecret'), needs('clientSecretExpiresAt')];
  return schema
    .refine(secret.isThere, secret.missing)
    .refine(expiry.isThere, expiry.missing)
    .refine(secret.isAlone, secret.second)
    .refine(expiry.isAlone, expiry.second);
}

/** @throws DomainError `validation_failed` for an uploaded certificate that cannot be used */
export async function readNewCredential(
  deps: { readCertificateFile: ReadCertificateFile; clock: Clock },
  { clientSecret, clientSecretExpiresAt, certificate }: CredentialFields,
): Promise<NewCredential> {
  if (clientSecret && clientSecretExpiresAt) return { kind: 'clientSecret', clientSecret, clientSecretExpiresAt };
  if (!certificate) throw new Error('the schema lets no registration without a credential pass');
  if (certificate.source === 'made') return { kind: 'madeCertificate', validMonths: certificate.validMonths };
  return { kind: 'uploadedCertificate', uploaded: await readUpload(deps, certificate) };
}
