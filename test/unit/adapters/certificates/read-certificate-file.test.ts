import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCertificateFile } from '../../../../shared/adapters/certificates/read-certificate-file.ts';
import { readUpload } from '../../../../shared/connections/credentials/uploaded-certificate.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/certificates/${name}`, import.meta.url));
const pemOf = (name: string) => fixture(name).toString();
const at = (instant: string) => ({ readCertificateFile, clock: { now: () => new Date(instant) } });
const readPem = (pem: string, now = '2026-12-01') => readUpload(at(now), { source: 'pem', pem: new Secret(pem) });
const readPfx = (pfx: Uint8Array, password = '') =>
  readUpload(at('2026-12-01'), { source: 'pfx', pfx, password: new Secret(password) });

const expected = new X509Certificate(pemOf('rsa-2048.pem'));
const [certificateText = '', keyText = ''] = pemOf('rsa-2048.pem').split(/(?=-----BEGIN PRIVATE KEY)/);

async function faultsOf(work: Promise<unknown>): Promise<{ path: string; message: string }[]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DomainError);
  const { code, fields } = error as DomainError;
  expect(code).toBe('validation_failed');
  return [...fields];
}

describe('a certificate with its key', () => {
  it.each([
    ['aes-256.pfx', 'hunter2-ü'],
    ['triple-des.pfx', 'hunter2'],
    ['legacy.pfx', 'hunter2'],
    ['java.pfx', 'hunter2'],
    ['no-password.pfx', ''],
    ['many-iterations.pfx', 'hunter2'],
  ])('is read from %s', async (name, password) => {
    const read = await readPfx(fixture(name), password);
    expect(read.certificate.thumbprintSha256).toBe(expected.fingerprint256.replaceAll(':', ''));
    expect(read.expiresAt).toEqual(new Date('2036-01-01T00:00:00Z'));
    expect(new X509Certificate(read.pem.reveal()).checkPrivateKey(createPrivateKey(read.pem.reveal()))).toBe(true);
  });

  it('is read from PEM, whatever stands around and between the parts, and in any order', async () => {
    const chain = `Bag Attributes\n${keyText}\r\n${pemOf('other.pem').split('-----BEGIN PRIVATE')[0]}\n# own\n${certificateText}`;
    const { certificate } = await readPem(chain);
    expect(certificate).toMatchObject({
      origin: 'uploaded',
      thumbprint: expected.fingerprint.replaceAll(':', ''),
      subject: 'CN=Muster test',
      validFromAt: new Date('2026-01-01T00:00:00Z'),
    });
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['a wrong password', () => readPfx(fixture('aes-256.pfx'), 'wrong'), 'password', /wrong/],
    ['no password', () => readPfx(fixture('triple-des.pfx')), 'password', /wrong/],
    ['a PFX without a key', () => readPfx(fixture('no-key.pfx'), 'hunter2'), 'pfx', /no private key/],
    ['a PEM file as PFX', () => readPfx(fixture('rsa-2048.pem')), 'pfx', /not a PFX/],
    ['no certificate', () => readPem(keyText), 'pem', /no certificate/],
    ['no key', () => readPem(certificateText), 'pem', /no private key/],
    ['two keys', () => readPem(certificateText + keyText + keyText), 'pem', /more than one/],
    ['another key', () => readPem(certificateText + pemOf('other.pem').split(/(?=-----BEGIN P)/)[1]), 'pem', /belongs/],
    ['an encrypted key', () => readPem(`${certificateText}-----BEGIN ENCRYPTED PRIVATE KEY-----`), 'pem', /encrypted/],
    ['a damaged certificate', () => readPem(certificateText.replace('MII', 'AAA') + keyText), 'pem', /damaged/],
    ['a key that is not RSA', () => readPem(pemOf('ec.pem')), 'pem', /only RSA/],
    ['a short key', () => readPem(pemOf('rsa-1024.pem')), 'pem', /1024 bits/],
    ['an expired certificate', () => readPem(pemOf('expired.pem')), 'pem', /expired on 2021-01-01/],
    ['one that is not valid yet', () => readPem(pemOf('rsa-2048.pem'), '2025-01-01'), 'pem', /valid only from/],
  ])('%s', async (_, read, field, message) => {
    expect(await faultsOf(read())).toEqual([
      { path: `certificate.${field}`, message: expect.stringMatching(message) as string },
    ]);
  });

  it('a file that would keep a processor busy is refused immediately', async () => {
    const file = fixture('many-iterations.pfx').toString('hex');
    const costly = Buffer.from(file.replace('02030493e0', '02037fffff'), 'hex');
    const begun = performance.now();
    expect(await faultsOf(readPfx(costly, 'hunter2'))).toMatchObject([{ message: /unusual/ }]);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('no damage of a file is a defect, and no message shows what is in it', async () => {
    const whole = fixture('triple-des.pfx');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.nat(255),
        fc.boolean(),
        fc.string(),
        async (position, byte, isCut, password) => {
          const damaged = Buffer.from(whole);
          damaged[position] = byte;
          const file = isCut ? damaged.subarray(0, position) : damaged;
          const outcome = await readPfx(file, password === '' ? 'hunter2' : password).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DomainError);
        },
      ),
      { numRuns: 40 },
    );
  });
});
