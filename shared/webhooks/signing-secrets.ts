import type { Secret } from '../kernel/secret.ts';
import type { Webhook } from './webhook.ts';

/** A signing secret as the vault lists it. */
export interface StoredSigningSecret {
  customerId: string;
  webhookId: string;
  version: string;
  storedAt: Date;
}

/**
 * The secrets that sign deliveries. They are stored in the vault only, each under a name that is never used again. Every
 * call rejects with `vault_unavailable` if the vault is unavailable.
 */
export interface SigningSecrets {
  /** Stores a new random secret of a webhook. Resolves to its text, to be shown once, and to its version. */
  create(webhook: Pick<Webhook, 'id' | 'customerId'>): Promise<{ text: string; version: string }>;
  /** Resolves to `undefined` if there is no such secret. May be a few minutes old. */
  get(webhookId: string, version: string): Promise<Secret | undefined>;
  /** Makes a secret unreadable. Succeeds if there is nothing to remove. */
  remove(webhookId: string, version: string): Promise<void>;
  /** One part of the list of all signing secrets. For timers. A cursor that is too old begins anew. */
  page(cursor?: string): Promise<{ items: StoredSigningSecret[]; cursor?: string }>;
}
