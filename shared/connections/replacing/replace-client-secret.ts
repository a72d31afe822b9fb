import type { CustomerActor } from '../../kernel/actor.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { Connection } from '../connection.ts';
import { newSecretVersion } from '../credentials/secret-vault.ts';
import { type ReplaceDeps, replaceCredential } from './replace-credential.ts';

/** Replaces the credential of a connection by a client secret. See `replaceCredential`. */
export function replaceClientSecret(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
  { clientSecret, clientSecretExpiresAt }: { clientSecret: Secret; clientSecretExpiresAt: Date },
): Promise<Connection> {
  const credential = {
    kind: 'clientSecret',
    version: newSecretVersion(),
    expiresAt: clientSecretExpiresAt,
  } as const;
  return replaceCredential(deps, actor, connectionId, credential, clientSecret);
}
