import { createHash, createPublicKey, verify as verifySignature, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateClient } from '@azure/keyvault-certificates';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Certificate, obtainCertificate, trustInThisProcess } from '../../local/certificate.ts';
import { startVault, type Vault } from '../../local/key-vault/vault.ts';
import { keyVaultCertificates } from '../../shared/adapters/key-vault/key-vault-certificates.ts';
import { keyVaultSecrets } from '../../shared/adapters/key-vault/key-vault-secrets.ts';
import { keepNextLinks } from '../../shared/adapters/key-vault/vault-pages.ts';
import { createVaultSigner } from '../../shared/adapters/key-vault/vault-signer.ts';
import type { CertificateVault } from '../../shared/connections/credentials/certificate-vault.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { allPagesOf } from '../support/all-pages.ts';

const TENANT = '00000000-0000-4000-8000-0000000000aa';
const APP = '00000000-0000-4000-8000-0000000000bb';
const name = { customerId: 'cust_1', connectionId: 'conn_1', version: 'a1' };
const request = { commonName: 'Muster conn_1', validMonths: 13 };
const digestOf = (text: string) => createHash('sha256').update(text).digest();

let folder: string;
let tls: Certificate;
let vault: Vault;
let client: CertificateClient;
let secrets: SecretClient;
let certificates: CertificateVault;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-vault-'));
  tls = await obtainCertificate(folder);
  trustInThisProcess(tls.cert);
});
afterAll(() => rm(folder, { recursive: true }));

const open = () =>
  startVault({
    tls,
    verify: async () => ({ tid: TENANT, appid: APP }),
    loginUrl: 'https://127.0.0.1:1',
    tenantId: TENANT,
    clientIds: [APP],
    file: join(folder, 'vault.json'),
  });

function connect(): void {
  const credential = { getToken: async () => ({ token: 'x.y.z', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const options = {
    additionalPolicies: keepNextLinks,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 1, retryDelayInMs: 1, maxRetryDelayInMs: 1 },
  };
  client = new CertificateClient(vault.url, credential, options);
  secrets = new SecretClient(vault.url, credential, options);
  certificates = keyVaultCertificates(client, createVaultSigner(vault.url, credential, options));
}

beforeEach(async () => {
  vault = await open();
  connect();
});
afterEach(async () => {
  await vault.stop();
  await rm(join(folder, 'vault.json'), { force: true });
});

describe('a certificate that the vault makes', () => {
  it('says who it is for and until when, and cannot be exported', async () => {
    const made = await certificates.make(name, request);
    const read = new X509Certificate(Buffer.from(made.certificate.der, 'base64'));
    expect(made).toMatchObject({ kind: 'certificate', version: 'a1', expiresAt: read.validToDate });
    expect(made.certificate).toMatchObject({ origin: 'made', subject: 'CN=Muster conn_1' });
    expect(made.certificate.thumbprint).toBe(read.fingerprint.replaceAll(':', ''));
    const months = (made.expiresAt.getTime() - Date.now()) / (30.44 * 86_400_000);
    expect(Math.round(months)).toBe(13);
    const { policy } = await client.getCertificate('conn-1-a1');
    expect(policy).toMatchObject({ exportable: false, keySize: 3072, keyType: 'RSA', issuerName: 'Self' });
  });

  it('signs by PS256, as its public key verifies, also after the vault was restarted', async () => {
    const made = await certificates.make(name, request);
    await vault.stop();
    vault = await open();
    connect();
    const signature = (await certificates.sign('conn_1', made, digestOf('hello'))) ?? new Uint8Array();
    const key = createPublicKey(
      new X509Certificate(Buffer.from(made.certificate.der, 'base64')).publicKey.export({
        format: 'pem',
        type: 'spki',
      }),
    );
    const options = { key, padding: 6, saltLength: 32 };
    expect(verifySignature('sha256', Buffer.from('hello'), options, signature)).toBe(true);
    expect(verifySignature('sha256', Buffer.from('hullo'), options, signature)).toBe(false);
  });

  it('signs nothing once it is removed or disabled, and is removed only once', async () => {
    const made = await certificates.make(name, request);
    await client.updateCertificateProperties('conn-1-a1', '', { enabled: false });
    expect(await certificates.sign('conn_1', made, digestOf('x'))).toBeUndefined();
    await certificates.remove('conn_1', 'a1');
    await certificates.remove('conn_1', 'a1');
    await certificates.remove('conn_1', 'never');
    expect(await certificates.sign('conn_1', made, digestOf('x'))).toBeUndefined();
    // A deleted name cannot be used again.
    await expect(certificates.make(name, request)).rejects.toMatchObject({ code: 'vault_unavailable' });
  });

  it('is listed with its owner, apart from the secrets, although the vault lists it there too', async () => {
    await certificates.make(name, request);
    await client.beginCreateCertificate('of-the-deployment', { issuerName: 'Self', subject: 'CN=x', keyType: 'RSA' });
    await keyVaultSecrets(secrets).put({ ...name, version: 'b2' }, new Secret('x'), new Date(8e14), 'certificate');
    expect((await Array.fromAsync(secrets.listPropertiesOfSecrets())).map((one) => one.name)).toContain('conn-1-a1');
    const storedAt = expect.any(Date);
    expect(await allPagesOf(certificates)).toEqual([{ ...name, storedAt }]);
    expect(await allPagesOf(keyVaultSecrets(secrets))).toEqual([{ ...name, version: 'b2', storedAt }]);
  });
});

it.each(['throttled', 'forbidden', 'unavailable'] as const)(
  'a vault that is %s is a transient failure, without a secret in it',
  async (fault) => {
    const made = await certificates.make(name, request);
    for (const call of [
      () => certificates.make({ ...name, version: 'c3' }, request),
      () => certificates.remove('conn_1', 'a1'),
      () => certificates.page(),
    ]) {
      vault.fail(fault, 2);
      await expect(call()).rejects.toMatchObject({ code: 'vault_unavailable' });
    }
    vault.fail(fault, 2);
    await expect(certificates.sign('conn_1', made, digestOf('x'))).rejects.toMatchObject({ code: 'vault_unavailable' });
  },
);
