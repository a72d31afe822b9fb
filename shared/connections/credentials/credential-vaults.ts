import type { Connection } from '../connection.ts';
import type { CertificateVault } from './certificate-vault.ts';
import type { CertificateCredential, Credential, OwnCredential } from './credential.ts';
import type { SecretVault } from './secret-vault.ts';

/** Where credentials are: made certificates in the one vault, client secrets and uploaded certificates in the other. */
export interface CredentialVaults {
  vault: Pick<SecretVault, 'remove'>;
  certificates: Pick<CertificateVault, 'remove'>;
}

type MadeCertificate = CertificateCredential & { certificate: { origin: 'made' } };

/** Whether the key of a credential was made in the vault, and stays there. */
export function isMade(credential: Credential): credential is MadeCertificate {
  return credential.kind === 'certificate' && credential.certificate.origin === 'made';
}

/** Makes a credential unusable immediately. Succeeds if there is nothing to remove. */
export function removeCredential(
  { vault, certificates }: CredentialVaults,
  connectionId: string,
  credential: OwnCredential,
): Promise<void> {
  const { version } = credential;
  return isMade(credential) ? certificates.remove(connectionId, version) : vault.remove(connectionId, version);
}

/** Every credential in the vaults that the record of a connection names. */
export function credentialsOf({ credential, previousCredential, nextCertificate }: Connection): OwnCredential[] {
  const own = credential.kind === 'deployment' ? undefined : credential;
  return [own, previousCredential, nextCertificate].filter((one) => one !== undefined);
}
