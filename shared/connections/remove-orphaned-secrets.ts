import pLimit from 'p-limit';
import { type OwnActionDeps, recordOwnAction } from '../kernel/record-own-action.ts';
import type { CertificateVault } from './certificate-vault.ts';
import { changeConnection } from './change-connection.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { credentialsOf } from './credential-vaults.ts';
import type { ListPosition, SecretName, SecretVault, StoredSecret } from './secret-vault.ts';

export interface OrphanedSecretsDeps extends OwnActionDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  /** Deletes a connection that should not exist. Repeatable. */
  discardConnection: (customerId: string, connectionId: string) => Promise<void>;
  vault: Pick<SecretVault, 'each' | 'remove'>;
  certificates: Pick<CertificateVault, 'each' | 'remove'>;
  /** A younger secret may belong to a record that is about to be written. */
  orphanedSecretAfterMs: number;
}

/** One of the two: of secrets, or of certificates. */
type Vault = OrphanedSecretsDeps['vault'];

const LOOKUPS_AT_ONCE = 16;
const BATCH_SIZE = 100;

/**
 * Removes the secrets and certificates that nothing can use any more: those of connections or customers that are gone, those that an
 * interrupted registration or replacement has left, and replaced ones that have been kept for long enough. Repeatable.
 *
 * Looks at about `max` of them, from `cursor` on. Resolves to where the next part begins, or to no cursor at the end.
 *
 * @param report receives each one without an owner, after it was removed. It is also in the audit log
 */
export async function removeOrphanedSecrets(
  deps: OrphanedSecretsDeps,
  report: (orphan: SecretName) => void,
  { cursor, max = Number.POSITIVE_INFINITY }: { cursor?: string | undefined; max?: number } = {},
): Promise<{ secrets: number; removed: number; cursor?: string }> {
  const limit = pLimit(LOOKUPS_AT_ONCE);
  let secrets = 0;
  let removed = 0;
  let batch: Promise<boolean>[] = [];
  const flush = async () => {
    removed += (await Promise.all(batch)).filter(Boolean).length;
    batch = [];
  };
  const [at = '0', from] = cursor?.split(' ') ?? [];
  for (const [index, vault] of [deps.vault, deps.certificates].entries()) {
    if (index < Number(at)) continue;
    const begin = index === Number(at) ? from : undefined;
    const position: ListPosition = begin === undefined ? {} : { cursor: begin };
    for await (const secret of vault.each(position)) {
      if (secrets >= max && position.cursor !== undefined && position.cursor !== begin) {
        await flush();
        return { secrets, removed, cursor: `${index} ${position.cursor}` };
      }
      secrets++;
      batch.push(limit(() => removeIfUnused(deps, vault, secret, report)));
      if (batch.length >= BATCH_SIZE) await flush();
    }
  }
  await flush();
  return { secrets, removed };
}

/** Resolves to whether it has removed the secret. */
async function removeIfUnused(
  deps: OrphanedSecretsDeps,
  vault: Vault,
  secret: StoredSecret,
  report: (orphan: SecretName) => void,
): Promise<boolean> {
  const { customerId, connectionId, version } = secret;
  const now = deps.clock.now();
  if (now.getTime() - secret.storedAt.getTime() < deps.orphanedSecretAfterMs) return false;
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  const isNamed = connection !== undefined && isUsed(connection, version);
  if (isNamed && (await deps.customers.get(customerId)) !== undefined) {
    return isKeptForLongEnough(connection, version, now) ? await removePrevious(deps, vault, secret) : false;
  }
  // A record that outlived its customer, because the process that registered it died.
  if (isNamed) await deps.discardConnection(customerId, connectionId);
  await vault.remove(connectionId, version);
  report({ customerId, connectionId, version });
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
async function removePrevious(deps: OrphanedSecretsDeps, vault: Vault, secret: SecretName): Promise<boolean> {
  const { customerId, connectionId, version } = secret;
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    if (current.previousCredential?.version !== version) return undefined;
    const { previousCredential: _removed, ...rest } = current;
    return rest;
  });
  if (!changed) return false;
  await vault.remove(connectionId, version);
  return true;
}
