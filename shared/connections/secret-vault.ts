import type { Secret } from '../kernel/secret.ts';

/**
 * The only place that stores client secrets. Every call rejects with `vault_unavailable` if the vault is unavailable.
 */
export interface SecretVault {
  /** Stores a new version under this name and resolves to the version. Recovers the name first if it was deleted. */
  put(name: string, value: Secret, expiresAt: Date): Promise<string>;
  /** Resolves to `undefined` if there is no such secret. */
  get(name: string, version: string): Promise<Secret | undefined>;
  /**
   * Makes the secret unreadable immediately. The vault erases it after its retention period. Succeeds if there is
   * nothing to remove.
   */
  remove(name: string): Promise<void>;
}
