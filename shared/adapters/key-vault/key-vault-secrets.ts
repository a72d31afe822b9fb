import type { SecretClient } from '@azure/keyvault-secrets';
import type { SecretVault } from '../../connections/secret-vault.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';

const RETRY_AFTER_SECONDS = 10;

/**
 * Client secrets in Azure Key Vault, under the connection's id; names there hold letters, digits and hyphens only.
 *
 * A name in deleted state cannot be reused, so it is recovered and given a new version.
 * https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
 */
export function keyVaultSecrets(client: SecretClient): SecretVault {
  return {
    async put(name, value, expiresAt) {
      const key = nameOf(name);
      const set = () =>
        client.setSecret(key, value.reveal(), { expiresOn: expiresAt, contentType: 'Microsoft 365 client secret' });
      const stored = await set().catch(async (error: unknown) => {
        if (statusOf(error) !== 409) throw away(error);
        const recovery = await orAway(client.beginRecoverDeletedSecret(key));
        await orAway(recovery.pollUntilDone());
        return orAway(set());
      });
      return stored.properties.version ?? '';
    },
    async get(name, version) {
      try {
        const { value } = await client.getSecret(nameOf(name), version === '' ? {} : { version });
        return value === undefined ? undefined : new Secret(value);
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw away(error);
      }
    },
    async remove(name) {
      try {
        // Not waited for: from its beginning on the secret cannot be read.
        await client.beginDeleteSecret(nameOf(name));
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw away(error);
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

async function orAway<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw away(error);
  }
}

/** Only what names the fault is kept: the SDK's error holds the request, and so the secret. */
function away(error: unknown): unknown {
  const status = statusOf(error);
  const { name, message } = error as Error;
  const cause = new Error(`${name} ${status ?? 'no answer'}: ${message}`);
  if (status !== undefined && status < 500 && ![401, 403, 408, 429].includes(status)) return cause;
  return new DomainError('vault_unavailable', 'The vault does not answer just now. Please try again shortly.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
