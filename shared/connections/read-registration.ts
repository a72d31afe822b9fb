import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import {
  type AppRegistrations,
  findNewerSecret,
  findSecretInUse,
  mayReadRegistration,
  type RegistrationView,
} from './app-registration.ts';
import type { Connection } from './connection.ts';
import type { SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

export interface ReadRegistrationDeps {
  tokens: Pick<Tokens, 'get'>;
  registrations: AppRegistrations;
  vault: Pick<SecretVault, 'get'>;
  clock: Clock;
}

/**
 * Reads what Microsoft Entra shows about the client secret of a connection, if the app may read its registration. Resolves
 * to `undefined` if that could not be found out now. Never rejects because Microsoft or the vault is unavailable.
 */
export async function readRegistration(
  deps: ReadRegistrationDeps,
  connection: Connection,
): Promise<RegistrationView | undefined> {
  // A certificate says itself when it expires.
  if (connection.credential.kind !== 'clientSecret') return undefined;
  try {
    const token = await deps.tokens.get(connection, 'graph');
    if (!token.granted) return undefined;
    const { clientId } = connection;
    const { version, expiresAt: entered } = connection.credential;
    const checkedAt = deps.clock.now();
    const refused = { clientId, version, checkedAt, isReadable: false };
    // Without the permission, Graph refuses in any case.
    if (!mayReadRegistration(token.value.claims.roles)) return refused;
    const answer = await deps.registrations.read(connection, token.value);
    if (answer.kind === 'unavailable') return undefined;
    if (answer.kind === 'refused') return refused;
    const secret = await deps.vault.get(connection.id, version);
    const inUse = findSecretInUse(answer.secrets, secret, entered, checkedAt);
    const newer = inUse && findNewerSecret(answer.secrets, inUse);
    return { clientId, version, checkedAt, isReadable: true, ...(inUse && { inUse }), ...(newer && { newer }) };
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}
