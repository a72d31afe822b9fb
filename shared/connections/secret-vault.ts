import type { Secret } from '../kernel/secret.ts';

/** Where client secrets lie; the only place. Every call rejects with `vault_unavailable` while the vault is away. */
export interface SecretVault {
  /** Stores a new version under a stable name and resolves to that version. A name that was deleted is recovered first. */
  put(name: string, value: Secret, expiresAt: Date): Promise<string>;
  /** Resolves to `undefined` when there is no such secret. */
  get(name: string, version: string): Promise<Secret | undefined>;
  /** Unreadable at once, irrecoverable after the vault's retention. Removing what is not there is success. */
  remove(name: string): Promise<void>;
}
