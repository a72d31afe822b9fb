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

/** Refuses a registration without a whole credential, or with two. */
export function withCredential<Body extends CredentialFields>(schema: z.ZodType<Body>): z.ZodType<Body> {
  return schema.superRefine((body, context) => {
    const refuse = (path: keyof CredentialFields, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { clientSecret, clientSecretExpiresAt, certificate } = body;
    if (certificate !== undefined) {
      for (const path of ['clientSecret', 'clientSecretExpiresAt'] as const) {
        if (body[path] !== undefined) refuse(path, 'is not for a connection with a certificate');
      }
      return;
    }
    if (clientSecret === undefined) refuse('clientSecret', 'required, unless there is a certificate');
    if (clientSecretExpiresAt === undefined) refuse('clientSecretExpiresAt', 'required with a client secret');
  });
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
