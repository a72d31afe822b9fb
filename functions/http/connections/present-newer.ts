import type { z } from 'zod';
import type { NewerCredentials } from '../../../shared/connections/expiry/newer-credential.ts';
import type { expiringSecretsSchema } from './connection-schemas.ts';

type Presented = z.infer<typeof expiringSecretsSchema>['items'][number];

/** What Microsoft Entra shows that may replace the credential in use. */
export function presentNewer({
  secret,
  certificate,
}: NewerCredentials): Pick<Presented, 'newerSecret' | 'newerCertificate'> {
  return {
    newerSecret: secret
      ? {
          secretId: secret.keyId,
          name: secret.name ?? null,
          hint: secret.hint ?? null,
          expiresAt: secret.expiresAt.toISOString(),
        }
      : null,
    newerCertificate: certificate
      ? {
          certificateId: certificate.keyId,
          name: certificate.name ?? null,
          thumbprint: certificate.thumbprint?.toUpperCase() ?? null,
          expiresAt: certificate.expiresAt.toISOString(),
          isNext: certificate.isNext,
        }
      : null,
  };
}
