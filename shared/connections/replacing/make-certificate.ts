import type { CustomerActor } from '../../kernel/actor.ts';
import { changeConnection } from '../change-connection.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { CertificateVault } from '../credentials/certificate-vault.ts';
import type { CertificateCredential } from '../credentials/credential.ts';
import { newSecretVersion } from '../credentials/secret-vault.ts';
import { noSuchConnection, requireOwnConnection } from '../require-connection.ts';
import { noNextCertificate } from './replace-certificate.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  certificates: Pick<CertificateVault, 'make' | 'remove'>;
}

/** Entra shows the common name. */
export const commonNameOf = (connectionId: string): string => `Muster ${connectionId}`;

/**
 * Makes a certificate that is to replace the credential of a connection. It is not used before `useNextCertificate`, so
 * the customer has time to add it to the app. One that was made before, and never used, is removed.
 *
 * The key is made before the record names it. The daily timer removes what a process leaves that dies in between.
 *
 * @throws DomainError `not_found`, `wrong_state` for the vendor's app
 */
export async function makeNextCertificate(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  validMonths: number,
): Promise<Connection> {
  const { customerId } = actor;
  await requireOwnConnection(deps, actor, connectionId);
  const name = { customerId, connectionId, version: newSecretVersion() };
  const made = await deps.certificates.make(name, { commonName: commonNameOf(connectionId), validMonths });
  let displaced: CertificateCredential | undefined;
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    displaced = current.nextCertificate;
    return { ...current, nextCertificate: made };
  });
  if (!changed) {
    // The connection was deleted in the meantime.
    await deps.certificates.remove(connectionId, made.version);
    throw noSuchConnection(connectionId);
  }
  if (displaced) await deps.certificates.remove(connectionId, displaced.version).catch(() => undefined);
  return changed;
}

/**
 * Discards the certificate that was made and is not in use.
 *
 * @param check receives the connection as it is before each write, and may throw to refuse
 * @throws DomainError `not_found`, `wrong_state` if there is none
 */
export async function discardNextCertificate(
  deps: Deps,
  { customerId }: CustomerActor,
  connectionId: string,
  check: (current: Connection) => void,
): Promise<Connection> {
  let discarded: CertificateCredential | undefined;
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    check(current);
    const { nextCertificate, ...rest } = current;
    if (!nextCertificate) throw noNextCertificate();
    discarded = nextCertificate;
    return rest;
  });
  if (!changed) throw noSuchConnection(connectionId);
  // The daily timer removes what this leaves.
  if (discarded) await deps.certificates.remove(connectionId, discarded.version).catch(() => undefined);
  return changed;
}
