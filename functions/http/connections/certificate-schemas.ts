import { z } from 'zod';
import { certificateOrigins } from '../../../shared/connections/credentials/certificate.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { Secret } from '../../../shared/kernel/secret.ts';

const FILE_MAX_LENGTH = 100_000;
const PASSWORD_MAX_LENGTH = 1_000;
const VALID_MONTHS_MAX = 24;
const VALID_MONTHS = 12;

const toSecret = (text: string) => new Secret(text);

export const validMonths = z
  .int()
  .min(1)
  .max(VALID_MONTHS_MAX)
  .default(VALID_MONTHS)
  .meta({ description: 'For how long the certificate is valid.' });

const pemFile = z.strictObject({
  source: z.literal('pem'),
  pem: z
    .string()
    .min(1)
    .max(FILE_MAX_LENGTH)
    .transform(toSecret)
    .meta({ description: 'The certificate and its private key, as PEM. The key must not be encrypted.' }),
});

const pfxFile = z.strictObject({
  source: z.literal('pfx'),
  pfx: z
    .base64()
    .min(1)
    .max(FILE_MAX_LENGTH)
    .transform((text) => Buffer.from(text, 'base64'))
    .meta({ description: 'A PFX file (PKCS #12) with the certificate and its private key, in base64.' }),
  password: z
    .string()
    .max(PASSWORD_MAX_LENGTH)
    .default('')
    .transform(toSecret)
    .meta({ description: 'The password of the file.' }),
});

const madeNow = z.strictObject({
  source: z.literal('made').meta({ description: 'Our key vault makes the key, which never leaves it.' }),
  validMonths,
});

const madeBefore = z.strictObject({
  source: z.literal('made').meta({ description: 'The one that was made by `POST …/certificate/next`.' }),
});

/** The certificate of a new connection. */
export const newCertificate = z.discriminatedUnion('source', [madeNow, pemFile, pfxFile]);

/** The certificate that replaces the credential in use. */
export const replacingCertificate = z.discriminatedUnion('source', [madeBefore, pemFile, pfxFile]);

export const certificateFields = {
  origin: z.enum(certificateOrigins).meta({
    description: '`made`: our key vault has made the key and never releases it. `uploaded`: you have made it.',
  }),
  thumbprint: z.string().meta({ description: 'As Entra shows it: SHA-1, in hex.' }),
  thumbprintSha256: z.string(),
  subject: z.string(),
  validFrom: instant,
  expiresAt: instant.meta({ description: 'Read from the certificate.' }),
};

export const nextCertificateSchema = z.strictObject(certificateFields).meta({
  id: 'NextCertificate',
  description: 'A certificate that was made and is not in use yet: add it to the app, then put it into use.',
});
