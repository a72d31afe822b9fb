import type { SecretClient } from '@azure/keyvault-secrets';
import type { SecretVault } from '../../connections/secret-vault.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';

const RETRY_AFTER_SECONDS = 10;
/**
 * The SDK writes the expiry as a 32-bit number of seconds. A later one would wrap round to a time in the past. Only our
 * own record counts, so the vault's copy may be too early.
 */
const LATEST_EXPIRY = new Date((2 ** 31 - 1) * 1000);

/**
 * Client secrets in Azure Key Vault, named after the connection's ID. Names there may contain only letters, digits and
 * hyphens.
 *
 * A deleted name cannot be reused, so it is recovered and gets a new version.
 * https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
 */
export function keyVaultSecrets(client: SecretClient): SecretVault {
  return {
    async put(name, value, expiresAt) {
      const key = nameOf(name);
      const set = () =>
        client.setSecret(key, value.reveal(), {
          expiresOn: expiresAt > LATEST_EXPIRY ? LATEST_EXPIRY : expiresAt,
          contentType: 'Microsoft 365 client secret',
        });
      const stored = await set().catch(async (error: unknown) => {
        if (statusOf(error) !== 409) throw toVaultError(error);
        const recovery = await translateVaultErrors(client.beginRecoverDeletedSecret(key));
        await translateVaultErrors(recovery.pollUntilDone());
        return translateVaultErrors(set());
      });
      return stored.properties.version ?? '';
    },
    async get(name, version) {
      try {
        const { value } = await client.getSecret(nameOf(name), version === '' ? {} : { version });
        return value === undefined ? undefined : new Secret(value);
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw toVaultError(error);
      }
    },
    async remove(name) {
      try {
        // The secret is unreadable as soon as the deletion begins, so there is no need to wait for its end.
        await client.beginDeleteSecret(nameOf(name));
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw toVaultError(error);
      }
    },
  };
}

function nameOf(id: string): string {
  return id.replaceAll('_', '-');
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

async function translateVaultErrors<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toVaultError(error);
  }
}

/** Keeps only the name and message: the SDK's error contains the request, and so the secret. */
function toVaultError(error: unknown): unknown {
  const status = statusOf(error);
  const { name, message } = error as Error;
  const cause = new Error(`${name} ${status ?? 'no response'}: ${message}`);
  if (status !== undefined && status < 500 && ![401, 403, 408, 429].includes(status)) return cause;
  return new DomainError('vault_unavailable', 'Our key vault is temporarily unavailable. Try again in a few seconds.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
