import { randomBytes } from 'node:crypto';
import type { Secret } from '../../kernel/secret.ts';
import type { CredentialKind } from './credential.ts';

/** Names a secret of a connection. Every secret has a version of its own, so no name is ever used again. */
export interface SecretName {
  customerId: string;
  connectionId: string;
  version: string;
}

export interface StoredSecret extends SecretName {
  storedAt: Date;
}

/** One part of a list in the vault. Without a cursor it is the last one. */
export interface VaultPage {
  items: StoredSecret[];
  /** Where the next part begins. Another process can go on there. */
  cursor?: string;
}

export function newSecretVersion(): string {
  return randomBytes(8).toString('hex');
}

/**
 * The only place that stores client secrets and uploaded certificates. Every call rejects with `vault_unavailable` if the vault is unavailable.
 *
 * After a secret is stored, its owner is looked up again, and the secret is removed if the owner is gone.
 */
export interface SecretVault {
  /** Stores a secret that says whose it is. Nothing that was removed comes back. */
  put(name: SecretName, value: Secret, expiresAt: Date, kind: CredentialKind): Promise<void>;
  /** Resolves to `undefined` if there is no such secret, or if somebody has disabled it in the vault. */
  get(connectionId: string, version: string): Promise<Secret | undefined>;
  /**
   * Makes the secret unreadable immediately. The vault erases it after its retention period. Succeeds if there is
   * nothing to remove.
   */
  remove(connectionId: string, version: string): Promise<void>;
  /**
   * One part of the list of all secrets of connections. It may be empty although more follow. For timers. A cursor that is
   * too old begins anew.
   */
  page(cursor?: string): Promise<VaultPage>;
}
