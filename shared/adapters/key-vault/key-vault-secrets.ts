import type { SecretClient } from '@azure/keyvault-secrets';
import type { CredentialKind } from '../../connections/credentials/credential.ts';
import type { SecretVault } from '../../connections/credentials/secret-vault.ts';
import { Secret } from '../../kernel/secret.ts';
import { isDisabled, statusOf, toVaultError, translateVaultErrors } from './vault-errors.ts';
import { nameOf, ownedName, toTags } from './vault-names.ts';
import { readVaultPage } from './vault-pages.ts';

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
