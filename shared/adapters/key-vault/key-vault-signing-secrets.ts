import { randomBytes } from 'node:crypto';
import type { SecretClient } from '@azure/keyvault-secrets';
import { LRUCache } from 'lru-cache';
import { Secret } from '../../kernel/secret.ts';
import type { SigningSecrets } from '../../webhooks/signing-secrets.ts';
import { statusOf, toVaultError, translateVaultErrors } from './key-vault-secrets.ts';

/** As Standard Webhooks recommends: between 24 and 64 bytes. */
const SECRET_BYTES = 32;
/** One busy webhook must not read the vault for each delivery: all customers share its limits. */
const CACHED_MS = 300_000;
const CACHED_MAX = 1_000;

/** Names in a vault may contain only letters, digits and hyphens. */
const nameOf = (webhookId: string) => webhookId.replaceAll('_', '-');

/** Signing secrets of webhooks in Azure Key Vault, named after the webhook's ID. A version never changes. */
export function keyVaultSigningSecrets(client: SecretClient): SigningSecrets {
  const cache = new LRUCache<string, Secret>({ max: CACHED_MAX, ttl: CACHED_MS });
  const keyOf = (webhookId: string, version: string) => `${webhookId}/${version}`;
  return {
    async create({ id, customerId }) {
      const text = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
      const stored = await translateVaultErrors(
        client.setSecret(nameOf(id), text, {
          contentType: 'Signing secret of a webhook',
          tags: { customer: customerId, webhook: id },
        }),
      );
      return { text, version: stored.properties.version ?? '' };
    },
    async get(webhookId, version) {
      const cached = cache.get(keyOf(webhookId, version));
      if (cached) return cached;
      try {
        const { value } = await client.getSecret(nameOf(webhookId), { version });
        if (value === undefined) return undefined;
        const secret = new Secret(value);
        cache.set(keyOf(webhookId, version), secret);
        return secret;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw toVaultError(error);
      }
    },
    async remove(webhookId) {
      try {
        await client.beginDeleteSecret(nameOf(webhookId));
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw toVaultError(error);
      }
    },
  };
}
