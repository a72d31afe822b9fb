import type { CertificateClient, CertificatePolicy } from '@azure/keyvault-certificates';
import { readCertificate } from '../../connections/credentials/certificate.ts';
import type { CertificateVault } from '../../connections/credentials/certificate-vault.ts';
import { isDisabled, statusOf, toVaultError } from './vault-errors.ts';
import { nameOf, ownedName, toTags } from './vault-names.ts';
import { readVaultPage } from './vault-pages.ts';
import type { VaultSigner } from './vault-signer.ts';

/** Azure needs a few seconds. */
const MAKING_TIMEOUT_MS = 60_000;
const POLL_MS = 1_000;
const KEY_BITS = 3072;

/**
 * Certificates in Azure Key Vault, under names of their own, as `keyVaultSecrets` gives them. Their keys cannot be
 * exported: the vault signs with them.
 * https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#exportable-or-non-exportable-key
 */
export function keyVaultCertificates(client: CertificateClient, sign: VaultSigner): CertificateVault {
  return {
    async make(name, { commonName, validMonths }) {
      const policy: CertificatePolicy = {
        issuerName: 'Self',
        subject: `CN=${commonName}`,
        keyType: 'RSA',
        keySize: KEY_BITS,
        exportable: false,
        reuseKey: false,
        keyUsage: ['digitalSignature'],
        validityInMonths: validMonths,
        contentType: 'application/x-pkcs12',
        // Without it, the vault sends e-mails and renews by itself, which nobody would notice.
        lifetimeActions: [],
      };
      try {
        const poller = await client.beginCreateCertificate(nameOf(name.connectionId, name.version), policy, {
          tags: toTags(name),
          intervalInMs: POLL_MS,
          abortSignal: AbortSignal.timeout(MAKING_TIMEOUT_MS),
        });
        const { cer, keyId } = await poller.pollUntilDone();
        if (!cer) throw new Error('the vault has made no certificate');
        const { certificate, expiresAt } = readCertificate(cer, 'made');
        const keyVersion = keyId?.split('/').at(-1) ?? '';
        return { kind: 'certificate', version: name.version, expiresAt, certificate: { ...certificate, keyVersion } };
      } catch (error) {
        throw toVaultError(error);
      }
    },
    async sign(connectionId, { version, certificate }, digest) {
      try {
        return await sign(nameOf(connectionId, version), certificate.keyVersion ?? '', digest);
      } catch (error) {
        if (statusOf(error) === 404 || isDisabled(error)) return undefined;
        throw toVaultError(error);
      }
    },
    async remove(connectionId, version) {
      try {
        // The key is unusable as soon as the deletion begins, so there is no need to wait for its end.
        await client.beginDeleteCertificate(nameOf(connectionId, version));
      } catch (error) {
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw toVaultError(error);
      }
    },
    async page(cursor) {
      // A certificate that is still being made, or was not finished, is listed as well.
      const list = () => client.listPropertiesOfCertificates({ includePending: true });
      const { items, ...rest } = await readVaultPage(list, cursor);
      return { ...rest, items: items.flatMap(({ name, tags, createdOn }) => ownedName(name, tags, createdOn) ?? []) };
    },
  };
}
