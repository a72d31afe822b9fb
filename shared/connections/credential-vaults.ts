import type { CertificateVault } from './certificate-vault.ts';
import type { Connection } from './connection.ts';
import type { Credential } from './credential.ts';
import type { SecretVault } from './secret-vault.ts';

/** Where credentials are: made certificates in the one vault, client secrets and uploaded certificates in the other. */
export interface CredentialVaults {
  vault: Pick<SecretVault, 'remove'>;
  certificates: Pick<CertificateVault, 'remove'>;
}

/** Whether the key of a credential was made in the vault, and stays there. */
export function isMade(credential: Credential): boolean {
  return credential.kind === 'certificate' && credential.certificate.origin === 'made';
}

/** Makes a credential unusable immediately. Succeeds if there is nothing to remove. */
export function removeCredential(
  { vault, certificates }: CredentialVaults,
  connectionId: string,
  credential: Credential,
): Promise<void> {
  const { version } = credential;
  return isMade(credential) ? certificates.remove(connectionId, version) : vault.remove(connectionId, version);
}

/** Every credential that the record of a connection names. */
export function credentialsOf({ credential, previousCredential, nextCertificate }: Connection): Credential[] {
  return [credential, previousCredential, nextCertificate].filter((one) => one !== undefined);
}
