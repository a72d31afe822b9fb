import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { writeAtomically } from './write-atomically.ts';

export interface Certificate {
  cert: string;
  key: string;
  /** The file that clients must trust, for example through `NODE_EXTRA_CA_CERTS`. */
  path: string;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
const RENEW_BEFORE_DAYS = 30;

/**
 * Resolves to a self-signed certificate for 127.0.0.1 and localhost. Uses the one in the folder, or makes a new one if
 * there is none or it expires soon.
 */
export async function obtainCertificate(folder: string): Promise<Certificate> {
  const path = join(folder, 'ca.pem');
  const keyPath = join(folder, 'ca-key.pem');
  const kept = await readKept(path, keyPath);
  if (kept) return { ...kept, path };
  const made = await makeCertificate();
  await writeAtomically(keyPath, made.key, 0o600);
  await writeAtomically(path, made.cert, 0o644);
  return { ...made, path };
}

/** Makes this running process trust the certificate. A new process does so through `NODE_EXTRA_CA_CERTS`. */
export function trustInThisProcess(certificate: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
}

async function readKept(path: string, keyPath: string): Promise<{ cert: string; key: string } | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(path, 'utf8'), readFile(keyPath, 'utf8')]);
    tls.createSecureContext({ cert, key });
    const validTo = new X509Certificate(cert).validToDate.getTime();
    return validTo - Date.now() > RENEW_BEFORE_DAYS * DAY_MS ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: 'Muster local stack' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // Clients whose clock is slightly behind must accept it too.
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
