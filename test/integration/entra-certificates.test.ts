import { createPrivateKey, type KeyObject } from 'node:crypto';
import { decodeJwt } from 'jose';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signDigest } from '../../local/key-vault/rsa-signature.ts';
import { readCertificateFile } from '../../shared/adapters/certificates/read-certificate-file.ts';
import { createTokens } from '../../shared/adapters/entra/client-credential-tokens.ts';
import { createClouds } from '../../shared/adapters/entra/clouds.ts';
import { classify } from '../../shared/causes/classify.ts';
import type { CertificateCredential } from '../../shared/connections/credentials/credential.ts';
import type { UploadedCertificate } from '../../shared/connections/credentials/uploaded-certificate.ts';
import type { TokenAnswer, Tokens } from '../../shared/connections/tokens.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { aConnection } from '../support/records.ts';
import { openSimulator, type SimulatorClient } from '../support/simulator-client.ts';
import { wingtip, wingtipApp, wingtipTenant } from '../support/wingtip.ts';

let client: SimulatorClient;
let tokens: Tokens;
let uploaded: UploadedCertificate;
let key: KeyObject;
let reads: number;
let signatures: number;
/** What the vault signs with; `undefined` if it has no key. */
let signsWith: KeyObject | undefined;
let clockAheadMs: number;

const make = async (validUntil = '2036-01-01') => {
  const { cert, private: pem } = await generate([{ name: 'commonName', value: 'Muster' }], {
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: new Date('2020-01-01'),
    notAfterDate: new Date(validUntil),
  });
  return await readCertificateFile({ source: 'pem', pem: new Secret(`${cert}\n${pem}`) });
};

beforeAll(async () => {
  client = await openSimulator({ tenants: [wingtipTenant()] });
  uploaded = await make();
  key = createPrivateKey(uploaded.pem.reveal());
});
afterAll(() => client.close());

beforeEach(() => {
  reads = 0;
  signatures = 0;
  signsWith = key;
  clockAheadMs = 0;
  register(uploaded);
  const clouds = createClouds({
    loginUrl: client.simulator.loginUrl,
    graphUrl: client.simulator.loginUrl,
    imap: undefined,
    smtp: undefined,
  });
  tokens = createTokens({
    vault: {
      async get() {
        reads++;
        return uploaded.pem;
      },
    },
    certificates: {
      async sign(_id, _credential, digest) {
        signatures++;
        return signsWith && signDigest.PS256(signsWith, Buffer.from(digest));
      },
    },
    clouds: (cloud) => clouds(cloud) ?? expect.fail(cloud),
    clock: { now: () => new Date(Date.now() + clockAheadMs) },
    timeoutMs: 5_000,
  });
});

/** What the app lists in Entra. */
function register(...certificates: UploadedCertificate[]): void {
  const listed = certificates.map(({ certificate, pem }) => ({
    thumbprint: certificate.thumbprint,
    publicKeyPem: pem.reveal().split('-----BEGIN PRIVATE')[0] ?? '',
  }));
  client.put(wingtipTenant({ apps: [wingtipApp({ certificates: listed })] }));
}

const credentialOf = (origin: 'made' | 'uploaded', from = uploaded): CertificateCredential => ({
  kind: 'certificate',
  version: 'v1',
  expiresAt: from.expiresAt,
  certificate: { ...from.certificate, origin },
});
const ask = (credential: CertificateCredential) =>
  tokens.get(
    aConnection({ cloud: 'simulator', tenantId: wingtip.id, clientId: wingtip.clientId, credential }),
    'graph',
  );
const causeOf = (answer: TokenAnswer) => (answer.granted ? 'granted' : classify(answer.refusal));

describe.each(['made', 'uploaded'] as const)('a certificate that was %s', (origin) => {
  it('gets tokens that show it, and asks the vault once for each', async () => {
    const answer = await ask(credentialOf(origin));
    if (!answer.granted) throw new Error(answer.refusal.message);
    expect(decodeJwt(answer.value.token.reveal()).appidacr).toBe('2');
    await ask(credentialOf(origin));
    expect([reads, signatures]).toEqual(origin === 'made' ? [0, 1] : [1, 0]);
  });

  it('is told if the app does not list it', async () => {
    register();
    expect(causeOf(await ask(credentialOf(origin)))).toBe('certificate_not_registered');
  });
});

it('an expired certificate is told', async () => {
  const expired = await make('2021-01-01');
  register(expired);
  signsWith = createPrivateKey(expired.pem.reveal());
  expect(causeOf(await ask(credentialOf('made', expired)))).toBe('certificate_expired');
});

it('a wrong key is told', async () => {
  signsWith = createPrivateKey((await make()).pem.reveal());
  expect(causeOf(await ask(credentialOf('made')))).toBe('certificate_wrong');
});

it('a key that the vault no longer has is told, and asks Microsoft nothing', async () => {
  signsWith = undefined;
  client.simulator.world.requests.reset();
  expect(causeOf(await ask(credentialOf('made')))).toBe('certificate_missing');
  expect(client.simulator.world.requests.counts()).toEqual([]);
});

it('works with a clock that is four minutes off, and an hour off is told as a refusal', async () => {
  clockAheadMs = 4 * 60_000;
  expect(causeOf(await ask(credentialOf('made')))).toBe('granted');
  clockAheadMs = -60 * 60_000;
  tokens.forget('conn_1');
  expect(causeOf(await ask(credentialOf('made')))).toBe('clock_wrong');
});
