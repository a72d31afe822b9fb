import { randomBytes } from 'node:crypto';
import { Secret } from '../../shared/kernel/secret.ts';
import type { SigningSecrets } from '../../shared/webhooks/signing-secrets.ts';

/** Signing secrets in memory. */
export function inMemorySigningSecrets(): SigningSecrets & { owners(): string[] } {
  const kept = new Map<string, string[]>();
  return {
    owners: () => [...kept.keys()],
    async create({ id }) {
      const text = `whsec_${randomBytes(32).toString('base64')}`;
      const versions = [...(kept.get(id) ?? []), text];
      kept.set(id, versions);
      return { text, version: String(versions.length) };
    },
    async get(webhookId, version) {
      const found = kept.get(webhookId)?.[Number(version) - 1];
      return found === undefined ? undefined : new Secret(found);
    },
    async remove(webhookId) {
      kept.delete(webhookId);
    },
  };
}
