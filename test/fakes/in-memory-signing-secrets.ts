import { randomBytes } from 'node:crypto';
import { Secret } from '../../shared/kernel/secret.ts';
import type { SigningSecrets, StoredSigningSecret } from '../../shared/webhooks/signing-secrets.ts';
import { pageOfMap } from './pages-of-map.ts';

interface InMemorySigningSecrets extends SigningSecrets {
  /** The webhooks whose secrets can be read, once for each secret. */
  owners(): string[];
}

/** Signing secrets in memory. */
export function inMemorySigningSecrets(now: () => Date = () => new Date(0)): InMemorySigningSecrets {
  const kept = new Map<string, StoredSigningSecret & { text: string }>();
  let versions = 0;
  return {
    owners: () => [...kept.values()].map(({ webhookId }) => webhookId),
    async create({ id, customerId }) {
      const text = `whsec_${randomBytes(32).toString('base64')}`;
      const version = String(++versions);
      kept.set(`${id} ${version}`, { customerId, webhookId: id, version, storedAt: now(), text });
      return { text, version };
    },
    async get(webhookId, version) {
      const found = kept.get(`${webhookId} ${version}`);
      return found && new Secret(found.text);
    },
    async remove(webhookId, version) {
      kept.delete(`${webhookId} ${version}`);
    },
    async page(cursor) {
      const { items, ...rest } = pageOfMap(kept, cursor);
      return { ...rest, items: items.map(({ text: _hidden, ...secret }) => secret) };
    },
  };
}
