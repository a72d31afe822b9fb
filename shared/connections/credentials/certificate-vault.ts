import type { CertificateCredential } from './credential.ts';
import type { SecretName, VaultPage } from './secret-vault.ts';

/** What a new certificate says. */
export interface CertificateRequest {
  /** The common name. */
  commonName: string;
  validMonths: number;
}

/**
 * Makes certificates whose private keys never leave the vault. Every call rejects with `vault_unavailable` if the vault is
 * unavailable.
 *
 * Names are those of `SecretVault`: a certificate and a secret never have the same one.
 */
export interface CertificateVault {
  /** Makes a key and a certificate that says whose it is. Nothing that was removed comes back. */
  make(name: SecretName, request: CertificateRequest): Promise<CertificateCredential>;
  /**
   * Signs a SHA-256 digest by RSASSA-PSS (PS256). Resolves to `undefined` if there is no such key, or if somebody has
   * disabled it in the vault.
   */
  sign(connectionId: string, credential: CertificateCredential, digest: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Makes the key unusable immediately. The vault erases it after its retention period. Succeeds if there is nothing to
   * remove.
   */
  remove(connectionId: string, version: string): Promise<void>;
  /** One part of the list of all certificates of connections, as `SecretVault` lists secrets. For timers. */
  page(cursor?: string): Promise<VaultPage>;
}
