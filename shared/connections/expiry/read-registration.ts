import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Connection } from '../connection.ts';
import type { SecretVault } from '../credentials/secret-vault.ts';
import type { Tokens } from '../tokens.ts';
import {
  type AppRegistrations,
  findNewerSecret,
  findSecretInUse,
  mayReadRegistration,
  type RegisteredSecret,
  type RegistrationView,
} from './app-registration.ts';
import { findNewerCertificate } from './newer-credential.ts';

export interface ReadRegistrationDeps {
  tokens: Pick<Tokens, 'get'>;
  registrations: AppRegistrations;
  vault: Pick<SecretVault, 'get'>;
  clock: Clock;
}

/**
 * Reads what Microsoft Entra shows about the credential of a connection, if the app may read its registration. Resolves
 * to `undefined` if that could not be found out now. Never rejects because Microsoft or the vault is unavailable.
 */
export async function readRegistration(
  deps: ReadRegistrationDeps,
  connection: Connection,
): Promise<RegistrationView | undefined> {
  try {
    const token = await deps.tokens.get(connection, 'graph');
    if (!token.granted) return undefined;
    const { clientId } = connection;
    const { version } = connection.credential;
    const checkedAt = deps.clock.now();
    const refused = { clientId, version, checkedAt, isReadable: false };
    // Without the permission, Graph refuses in any case.
    if (!mayReadRegistration(token.value.claims.roles)) return refused;
    const answer = await deps.registrations.read(connection, token.value);
    if (answer.kind === 'unavailable') return undefined;
    if (answer.kind === 'refused') return refused;
    const inUse = await readSecretInUse(deps, connection, answer.secrets, checkedAt);
    const newer = inUse && findNewerSecret(answer.secrets, inUse);
    const newerCertificate = findNewerCertificate(connection, answer.certificates, inUse, checkedAt);
    return {
      ...{ clientId, version, checkedAt, isReadable: true },
      ...(inUse && { inUse }),
      ...(newer && { newer }),
      ...(newerCertificate && { newerCertificate }),
    };
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

/** A certificate says itself when it expires, so only a client secret is looked for. */
async function readSecretInUse(
  { vault }: Pick<ReadRegistrationDeps, 'vault'>,
  { id, credential }: Connection,
  secrets: readonly RegisteredSecret[],
  now: Date,
): Promise<RegisteredSecret | undefined> {
  if (credential.kind !== 'clientSecret') return undefined;
  return findSecretInUse(secrets, await vault.get(id, credential.version), credential.expiresAt, now);
}
