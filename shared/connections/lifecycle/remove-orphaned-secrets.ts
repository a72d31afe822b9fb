import { type OwnActionDeps, recordOwnAction } from '../../kernel/record-own-action.ts';
import { removeUnusedSecrets } from '../../kernel/remove-unused-secrets.ts';
import { changeConnection } from '../change-connection.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { CertificateVault } from '../credentials/certificate-vault.ts';
import { credentialsOf } from '../credentials/credential-vaults.ts';
import type { SecretName, SecretVault, StoredSecret } from '../credentials/secret-vault.ts';

export interface OrphanedSecretsDeps extends OwnActionDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  /** Deletes a connection that should not exist. Repeatable. */
  discardConnection: (customerId: string, connectionId: string) => Promise<void>;
  vault: Pick<SecretVault, 'page' | 'remove'>;
  certificates: Pick<CertificateVault, 'page' | 'remove'>;
  /** A younger secret may belong to a record that is about to be written. */
  orphanedSecretAfterMs: number;
}

/** The two lists of the vault that hold credentials. */
export type CredentialList = 'vault' | 'certificates';

/** What a search tells. */
export interface OrphanReports {
  /** Receives each credential without an owner, after it was removed. It is also in the audit log. */
  removed(orphan: SecretName): void;
  /** Receives each credential that could not be looked up or removed. The next search tries it again. */
  failed(secret: SecretName, error: unknown): void;
}

/**
 * Looks at one part of one list, and removes what nothing can use any more: credentials of connections or customers that
 * are gone, those that an interrupted registration or replacement has left, and replaced ones that have been kept for long
 * enough. Repeatable. One that fails does not hold up the others.
 *
 * Resolves to where the next part begins, or to no cursor at the end.
 */
export async function removeOrphanedSecrets(
  deps: OrphanedSecretsDeps,
  list: CredentialList,
  cursor: string | undefined,
  reports: OrphanReports,
): Promise<{ secrets: number; removed: number; cursor?: string }> {
  const page = await deps[list].page(cursor);
  return removeUnusedSecrets(
    page,
    (secret) => removeIfUnused(deps, list, secret, reports),
    (secret, error) => reports.failed(secret, error),
  );
}

/** Resolves to whether it has removed the secret. */
async function removeIfUnused(
  deps: OrphanedSecretsDeps,
  list: CredentialList,
  secret: StoredSecret,
  reports: OrphanReports,
): Promise<boolean> {
  const { customerId, connectionId, version } = secret;
  const now = deps.clock.now();
  if (now.getTime() - secret.storedAt.getTime() < deps.orphanedSecretAfterMs) return false;
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  const isNamed = connection !== undefined && isUsed(connection, version);
  if (isNamed && (await deps.customers.get(customerId)) !== undefined) {
    return isKeptForLongEnough(connection, version, now) ? await removePrevious(deps, list, secret) : false;
  }
  // A record that outlived its customer, because the process that registered it died.
  if (isNamed) await deps.discardConnection(customerId, connectionId);
  await deps[list].remove(connectionId, version);
  reports.removed({ customerId, connectionId, version });
  await recordOwnAction(deps, { customerId, action: 'connections.remove-orphaned-secret', object: connectionId });
  return true;
}

function isUsed(connection: Connection, version: string): boolean {
  return credentialsOf(connection).some((credential) => credential.version === version);
}

function isKeptForLongEnough({ previousCredential }: Connection, version: string, now: Date): boolean {
  return previousCredential?.version === version && previousCredential.removeAt <= now;
}

/** The record is changed first. A secret that it names must be readable. */
async function removePrevious(deps: OrphanedSecretsDeps, list: CredentialList, secret: SecretName): Promise<boolean> {
  const { customerId, connectionId, version } = secret;
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    if (current.previousCredential?.version !== version) return undefined;
    const { previousCredential: _removed, ...rest } = current;
    return rest;
  });
  if (!changed) return false;
  await deps[list].remove(connectionId, version);
  return true;
}
