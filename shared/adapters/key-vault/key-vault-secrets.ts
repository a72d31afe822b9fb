import type { SecretClient } from '@azure/keyvault-secrets';
import type { CredentialKind } from '../../connections/credentials/credential.ts';
import type { SecretVault } from '../../connections/credentials/secret-vault.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { nameOf, ownedName, toTags } from './vault-names.ts';
import { readVaultPage } from './vault-pages.ts';

const RETRY_AFTER_SECONDS = 10;
/**
 * The SDK writes the expiry as a 32-bit number of seconds. A later one would wrap round to a time in the past. Only our
 * own record counts, so the vault's copy may be too early.
 */
const LATEST_EXPIRY = new Date((2 ** 31 - 1) * 1000);

const contentTypes: Record<CredentialKind, string> = {
  clientSecret: 'Microsoft 365 client secret',
  certificate: 'application/x-pem-file',
};

/**
 * Client secrets and uploaded certificates in Azure Key Vault, each under a name of its own, made of the connection's ID and the version. Names
 * there may contain only letters, digits and hyphens. Tags say whose it is.
 *
 * A deleted name cannot be reused, and the versions of one name cannot be deleted one by one. Names that are never
 * reused need neither.
 * https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
 */
export function keyVaultSecrets(client: SecretClient): SecretVault {
  return {
    async put({ customerId, connectionId, version }, value, expiresAt, kind) {
      const stored = client.setSecret(nameOf(connectionId, version), value.reveal(), {
        expiresOn: expiresAt > LATEST_EXPIRY ? LATEST_EXPIRY : expiresAt,
        contentType: contentTypes[kind],
        tags: toTags({ customerId, connectionId, version }),
      });
      await translateVaultErrors(stored);
    },
    async get(connectionId, version) {
      try {
        const { value } = await client.getSecret(nameOf(connectionId, version));
        return value === undefined ? undefined : new Secret(value);
      } catch (error) {
        if (statusOf(error) === 404 || isDisabled(error)) return undefined;
        throw toVaultError(error);
      }
    },
    async remove(connectionId, version) {
      try {
        // The secret is unreadable as soon as the deletion begins, so there is no need to wait for its end.
        await client.beginDeleteSecret(nameOf(connectionId, version));
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw toVaultError(error);
      }
    },
    async page(cursor) {
      const { items, ...rest } = await readVaultPage(() => client.listPropertiesOfSecrets(), cursor);
      // The vault lists a secret for each certificate too. It goes with its certificate.
      const ours = items.filter(({ managed }) => !managed);
      return { ...rest, items: ours.flatMap(({ name, tags, createdOn }) => ownedName(name, tags, createdOn) ?? []) };
    },
  };
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** A disabled secret or key has the status of a missing right, which waiting can help. Only the inner code tells them apart. */
export function isDisabled(error: unknown): boolean {
  const { details } = error as { details?: { error?: { innerError?: { code?: unknown } } } };
  const code = details?.error?.innerError?.code;
  return statusOf(error) === 403 && (code === 'SecretDisabled' || code === 'KeyDisabled');
}

export async function translateVaultErrors<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toVaultError(error);
  }
}

/** The vault's answers that waiting can help. 404 and 409 come in the seconds after a deletion. */
const TRANSIENT = new Set([401, 403, 404, 408, 409, 429]);

/** Keeps only the name and message: the SDK's error contains the request, and so the secret. */
export function toVaultError(error: unknown): unknown {
  const status = statusOf(error);
  const { name, message } = error as Error;
  const cause = new Error(`${name} ${status ?? 'no response'}: ${message}`);
  if (status !== undefined && status < 500 && !TRANSIENT.has(status)) return cause;
  return new DomainError('vault_unavailable', 'Our key vault is temporarily unavailable. Try again in a few seconds.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
