import { randomBytes } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';
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

/** Where a list has got to. A later call, also in another process, goes on there. */
export interface ListPosition {
  /** Of the part of the list that is being read. Absent at its beginning. */
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
  /** The names of all secrets of connections. For timers. */
  each(position?: ListPosition): AsyncIterable<StoredSecret>;
}
