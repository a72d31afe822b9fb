import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readCertificate, toPem } from '../../connections/credentials/certificate.ts';
import {
  type CertificateFile,
  type UploadedCertificate,
  unusableCertificate,
} from '../../connections/credentials/uploaded-certificate.ts';
import { Secret } from '../../kernel/secret.ts';
import { UnknownEncryption, WrongPassword } from './decrypt.ts';
import { readPfx } from './read-pfx.ts';

interface Parts {
  key: KeyObject;
  certificates: X509Certificate[];
}

/** Reads a certificate with its private key. See `ReadCertificateFile`. */
export async function readCertificateFile(file: CertificateFile): Promise<UploadedCertificate> {
  const { key, certificates } = file.source === 'pem' ? readPem(file.pem.reveal()) : await readPfxParts(file);
  const own = certificates.find((one) => one.checkPrivateKey(key));
  if (!own) throw unusableCertificate(file.source, 'contains no certificate that belongs to its private key');
  const { certificate, expiresAt } = readCertificate(own.raw, 'uploaded');
  const keyPem = String(key.export({ format: 'pem', type: 'pkcs8' }));
  return { certificate, expiresAt, key: keyOf(key), pem: new Secret(`${toPem(certificate)}${keyPem}`) };
}

function keyOf(key: KeyObject): UploadedCertificate['key'] {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  return { type: key.asymmetricKeyType ?? 'unknown', ...(modulusLength !== undefined && { bits: modulusLength }) };
}

const CERTIFICATES_MAX = 20;
const block = (label: string) => new RegExp(`-----BEGIN ${label}-----[^-]{1,20000}-----END ${label}-----`, 'g');

function readPem(text: string): Parts {
  if (text.includes('ENCRYPTED')) {
    throw unusableCertificate(
      'pem',
      'has an encrypted private key. Upload it as PFX with its password, or decrypt it: openssl pkey -in key.pem',
    );
  }
  const certificates = (text.match(block('CERTIFICATE')) ?? []).slice(0, CERTIFICATES_MAX);
  if (certificates.length === 0) throw unusableCertificate('pem', 'contains no certificate (BEGIN CERTIFICATE)');
  const [key, ...others] = text.match(block('(?:RSA |EC )?PRIVATE KEY')) ?? [];
  if (!key) throw unusableCertificate('pem', 'contains no private key (BEGIN PRIVATE KEY)');
  if (others.length > 0) throw unusableCertificate('pem', 'contains more than one private key');
  try {
    return { key: createPrivateKey(key), certificates: certificates.map((one) => new X509Certificate(one)) };
  } catch {
    throw unusableCertificate('pem', 'cannot be read: the certificate or the private key is damaged');
  }
}

async function readPfxParts({ pfx, password }: Extract<CertificateFile, { source: 'pfx' }>): Promise<Parts> {
  const { keys, certificates } = await readPfx(pfx, password.reveal()).catch((error: unknown) => {
    if (error instanceof WrongPassword) throw unusableCertificate('password', 'is wrong, or the file is damaged');
    if (error instanceof UnknownEncryption) {
      throw unusableCertificate('pfx', 'is encrypted in an unusual way. Export it with AES-256 or TripleDES.');
    }
    throw unusableCertificate('pfx', 'is not a PFX file (PKCS #12) in base64 that Muster can read');
  });
  const [key, ...others] = keys;
  if (!key) throw unusableCertificate('pfx', 'contains no private key. Export the certificate with its private key.');
  if (others.length > 0) throw unusableCertificate('pfx', 'contains more than one private key');
  try {
    return {
      key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
      certificates: certificates.slice(0, CERTIFICATES_MAX).map((one) => new X509Certificate(one)),
    };
  } catch {
    throw unusableCertificate('pfx', 'cannot be read: the certificate or the private key is damaged');
  }
}
