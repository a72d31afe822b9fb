import type { Connection } from '../connection.ts';
import type { Certificate } from '../credentials/certificate.ts';
import { newestAfter, type RegisteredCertificate, type RegisteredSecret, registrationOf } from './app-registration.ts';

/** A credential that Microsoft Entra shows and that is newer than the one in use. It may belong to another product. */
export interface NewerCredentials {
  secret?: RegisteredSecret;
  certificate?: RegisteredCertificate & {
    /** It is the next certificate of the connection. Nothing is left to do but to put it into use. */
    isNext: boolean;
  };
}

/**
 * The newest certificate that was made after the credential in use and expires after it, or the next certificate of the
 * connection, if the app already has it. Never one that the connection has used before: somebody has brought back an older
 * one on purpose.
 *
 * @param secretInUse what the registration shows about the client secret in use, if it is one
 */
export function findNewerCertificate(
  { credential, previousCredential, nextCertificate }: Connection,
  registered: readonly RegisteredCertificate[],
  secretInUse: RegisteredSecret | undefined,
  now: Date,
): RegisteredCertificate | undefined {
  const valid = registered.filter(({ expiresAt }) => expiresAt > now);
  const next = nextCertificate && valid.find((one) => isSame(one, nextCertificate.certificate));
  if (next) return next;
  const inUse =
    credential.kind === 'certificate'
      ? { startsAt: credential.certificate.validFromAt, expiresAt: credential.expiresAt }
      : secretInUse;
  if (!inUse) return undefined;
  const known = [credential, previousCredential].flatMap((one) =>
    one?.kind === 'certificate' ? [one.certificate] : [],
  );
  return newestAfter(
    inUse,
    valid.filter((one) => !known.some((certificate) => isSame(one, certificate))),
  );
}

/** Entra shows either thumbprint. Without one, two certificates are never the same. */
function isSame({ thumbprint }: RegisteredCertificate, certificate: Certificate): boolean {
  const shown = thumbprint?.toUpperCase();
  return shown === certificate.thumbprint || shown === certificate.thumbprintSha256;
}

/** What Microsoft Entra has shown that is newer than the credential in use. */
export function newerCredentialsOf(connection: Connection): NewerCredentials {
  const { newer, newerCertificate } = registrationOf(connection) ?? {};
  const next = connection.nextCertificate?.certificate;
  const isNext = newerCertificate !== undefined && next !== undefined && isSame(newerCertificate, next);
  return {
    ...(newer && { secret: newer }),
    ...(newerCertificate && { certificate: { ...newerCertificate, isNext } }),
  };
}

/** The same in sentences, each with what to do. */
export function aboutNewerCredentials({ secret, certificate }: NewerCredentials): string[] {
  return [...(certificate ? [aboutCertificate(certificate)] : []), ...(secret ? [aboutSecret(secret)] : [])];
}

const ENOUGH = 'Then you need no other one.';

function aboutSecret({ name, hint, expiresAt }: RegisteredSecret): string {
  const begins = hint === undefined ? '' : ` Its Value begins with ${hint}.`;
  return `A newer client secret${quoted(name)} exists in Microsoft Entra, until ${dayOf(expiresAt)}.${begins} If it was made for this connection, replace the secret with its Value. ${ENOUGH}`;
}

function aboutCertificate({
  name,
  thumbprint,
  expiresAt,
  isNext,
}: NonNullable<NewerCredentials['certificate']>): string {
  if (isNext) {
    return `The app already has the next certificate of this connection, until ${dayOf(expiresAt)}. Put it into use. ${ENOUGH}`;
  }
  const shown = thumbprint === undefined ? '' : ` Its thumbprint is ${thumbprint.toUpperCase()}.`;
  return `A newer certificate${quoted(name)} exists in Microsoft Entra, until ${dayOf(expiresAt)}.${shown} If it was made for this connection, upload it with its private key. ${ENOUGH}`;
}

const quoted = (name: string | undefined) => (name === undefined ? '' : ` “${name}”`);
const dayOf = (instant: Date) => instant.toISOString().slice(0, 10);
