import { createHash, randomUUID } from 'node:crypto';
import type { Certificate } from '../../connections/credentials/certificate.ts';

/** Entra wants a short life. Libraries of Microsoft's use ten minutes. */
const VALID_SECONDS = 600;

interface AssertionRequest {
  clientId: string;
  /** The token endpoint that the assertion is for. */
  tokenUrl: string;
  certificate: Pick<Certificate, 'thumbprintSha256'>;
}

/**
 * A client assertion: the app says who it is, and signs that with the key of a certificate that Entra knows.
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 *
 * @param sign signs a SHA-256 digest by RSASSA-PSS
 */
export async function createAssertion(
  { clientId, tokenUrl, certificate }: AssertionRequest,
  now: Date,
  sign: (digest: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<string | undefined> {
  const seconds = Math.floor(now.getTime() / 1000);
  const header = {
    alg: 'PS256',
    typ: 'JWT',
    'x5t#S256': Buffer.from(certificate.thumbprintSha256, 'hex').toString('base64url'),
  };
  const claims = {
    aud: tokenUrl,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    iat: seconds,
    nbf: seconds,
    exp: seconds + VALID_SECONDS,
  };
  const unsigned = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = await sign(createHash('sha256').update(unsigned).digest());
  return signature && `${unsigned}.${Buffer.from(signature).toString('base64url')}`;
}
