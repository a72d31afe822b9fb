import { randomBytes } from 'node:crypto';
import type { SecretClient } from '@azure/keyvault-secrets';
import { LRUCache } from 'lru-cache';
import { Secret } from '../../kernel/secret.ts';
import type { SigningSecrets, StoredSigningSecret } from '../../webhooks/signing-secrets.ts';
import { isDisabled, statusOf, toVaultError, translateVaultErrors } from './vault-errors.ts';
import { readVaultPage } from './vault-pages.ts';

/** As Standard Webhooks recommends: between 24 and 64 bytes. */
const SECRET_BYTES = 32;
const VERSION_BYTES = 8;
/** One busy webhook must not read the vault for each delivery: all customers share its limits. */
const CACHED_MS = 300_000;
const CACHED_MAX = 1_000;

/** Names in a vault may contain only letters, digits and hyphens. */
const nameOf = (webhookId: string, version: string) => `${webhookId.replaceAll('_', '-')}-${version}`;

/**
 * Signing secrets of webhooks in Azure Key Vault, each under a name of its own, made of the webhook's ID and a random
 * version. A deleted name cannot be reused, and the versions of one name cannot be deleted one by one.
 */
export function keyVaultSigningSecrets(client: SecretClient): SigningSecrets {
  // Secrets leave the memory of the process when their time is over, also if nobody asks again.
  const cache = new LRUCache<string, Secret>({ max: CACHED_MAX, ttl: CACHED_MS, ttlAutopurge: true });
  return {
    async create({ id, customerId }) {
      const text = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
      const version = randomBytes(VERSION_BYTES).toString('hex');
      await translateVaultErrors(
        client.setSecret(nameOf(id, version), text, {
          contentType: 'Signing secret of a webhook',
          tags: { customer: customerId, webhook: id, version },
        }),
      );
      return { text, version };
    },
    async get(webhookId, version) {
      const name = nameOf(webhookId, version);
      const cached = cache.get(name);
      if (cached) return cached;
      try {
        const { value } = await client.getSecret(name);
        if (value === undefined) return undefined;
        const secret = new Secret(value);
        cache.set(name, secret);
        return secret;
      } catch (error) {
        if (statusOf(error) === 404 || isDisabled(error)) return undefined;
        throw toVaultError(error);
      }
    },
    async remove(webhookId, version) {
      const name = nameOf(webhookId, version);
      cache.delete(name);
      try {
        await client.beginDeleteSecret(name);
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw toVaultError(error);
      }
    },
    async page(cursor) {
      const { items, ...rest } = await readVaultPage(() => client.listPropertiesOfSecrets(), cursor);
      return { ...rest, items: items.flatMap(({ name, tags, createdOn }) => ownedBy(name, tags, createdOn)) };
    },
  };
}

/** Nothing for a secret that does not sign. */
function ownedBy(
  name: string,
  tags: Record<string, string> | undefined,
  storedAt: Date | undefined,
): StoredSigningSecret[] {
  const { customer: customerId, webhook: webhookId, version } = tags ?? {};
  if (!customerId || !webhookId || !version || !storedAt) return [];
  return name === nameOf(webhookId, version) ? [{ customerId, webhookId, version, storedAt }] : [];
}
