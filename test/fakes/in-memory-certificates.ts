import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { generate } from 'selfsigned';
import { readCertificate } from '../../shared/connections/credentials/certificate.ts';
import type { CertificateVault } from '../../shared/connections/credentials/certificate-vault.ts';
import type { StoredSecret } from '../../shared/connections/credentials/secret-vault.ts';
import { pageOfMap } from './pages-of-map.ts';

/** A vault of certificates in memory. Like the real one, it takes no name twice. Its keys are small, to be quick. */
export function inMemoryCertificates(now: () => Date = () => new Date(0)): CertificateVault {
  const kept = new Map<string, StoredSecret & { key: string }>();
  const used = new Set<string>();
  const keyOf = (connectionId: string, version: string) => `${connectionId} ${version}`;
  return {
    async make(name, { commonName, validMonths }) {
      const key = keyOf(name.connectionId, name.version);
      if (used.has(key)) throw new Error('the name was used before');
      used.add(key);
      const notBeforeDate = now();
      const notAfterDate = new Date(notBeforeDate);
      notAfterDate.setUTCMonth(notAfterDate.getUTCMonth() + validMonths);
      const made = await generate([{ name: 'commonName', value: commonName }], {
        keySize: 1024,
        algorithm: 'sha256',
        notBeforeDate,
        notAfterDate,
      });
      const der = Buffer.from(made.cert.replace(/-----[A-Z ]+-----/g, ''), 'base64');
      const { certificate, expiresAt } = readCertificate(der, 'made');
      kept.set(key, { ...name, storedAt: now(), key: made.private });
      const keyVersion = randomBytes(16).toString('hex');
      return { kind: 'certificate', version: name.version, expiresAt, certificate: { ...certificate, keyVersion } };
    },
    async sign(connectionId, { version }, digest) {
      const found = kept.get(keyOf(connectionId, version));
      // A stand-in: Node signs a message, not its digest.
      return found && sign('sha256', digest, createPrivateKey(found.key));
    },
    async remove(connectionId, version) {
      kept.delete(keyOf(connectionId, version));
    },
    async page(cursor) {
      const { items, ...rest } = pageOfMap(kept, cursor);
      return { ...rest, items: items.map(({ key: _hidden, ...certificate }) => certificate) };
    },
  };
}
