import type { CustomerActor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Connection } from '../connection.ts';
import { toCredential, type UploadedCertificate } from '../credentials/uploaded-certificate.ts';
import { noSuchConnection, requireOwnConnection } from '../require-connection.ts';
import { putIntoUse, type ReplaceDeps, replaceCredential, requireAccepted } from './replace-credential.ts';

/** Replaces the credential of a connection by an uploaded certificate. See `replaceCredential`. */
export function replaceByUploaded(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
  uploaded: UploadedCertificate,
): Promise<Connection> {
  return replaceCredential(deps, actor, connectionId, toCredential(uploaded), uploaded.pem);
}

/**
 * Replaces the credential of a connection by the certificate that was made for it, once the customer has added that to
 * the app. The same promises as `replaceCredential`.
 *
 * @throws DomainError `wrong_state` if none was made, `credentials_rejected` with the cause, `not_found`
 */
export async function useNextCertificate(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
): Promise<Connection> {
  const connection = await requireOwnConnection(deps, actor, connectionId);
  const { nextCertificate } = connection;
  if (!nextCertificate) throw noNextCertificate();
  await requireAccepted(deps, connection, { credential: nextCertificate });
  const replaced = await putIntoUse(deps, connection, nextCertificate, (current) => {
    // Another one was made, or this one was put into use or discarded.
    if (current.nextCertificate?.version !== nextCertificate.version) throw noNextCertificate();
  });
  if (!replaced) throw noSuchConnection(connectionId);
  return replaced;
}

export function noNextCertificate(): DomainError {
  return new DomainError(
    'wrong_state',
    'No certificate is waiting to be used. Make one first (POST …/certificate/next), and add it to the app in Entra.',
  );
}
