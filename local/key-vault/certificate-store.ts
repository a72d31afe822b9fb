import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import type { StoredSecret } from './secret-store.ts';
import {
  certificateIsBeingMade,
  certificateIsDeleted,
  certificateNotFound,
  deletedCertificateNotFound,
  keyIsDisabled,
  keyIsExpired,
  keyNotFound,
} from './vault-error.ts';

/** What a certificate is made by. Times are in seconds since 1970, unless stated. */
export interface CertificatePolicy {
  subject: string;
  keySize: number;
  exportable: boolean;
  validityMonths: number;
  contentType: string;
}

export interface StoredCertificate {
  name: string;
  /** Of the certificate and of its key. */
  version: string;
  tags?: Record<string, string> | undefined;
  policy: CertificatePolicy;
  /** DER, in base64. */
  cer: string;
  keyPem: string;
  enabled: boolean;
  nbf: number;
  exp: number;
  created: number;
  /** In milliseconds since 1970. Set while the certificate is deleted and can be recovered. */
  deletedAt?: number | undefined;
}

interface CertificateStoreOptions {
  certificates?: StoredCertificate[];
  now?: () => number;
  /** Called after every change, before the caller gets its result. */
  onChange?: () => void;
}

/** Self-signed certificates with soft delete, one version for each name. Their keys sign, and are never shown. */
export class CertificateStore {
  readonly #certificates = new Map<string, StoredCertificate>();
  /** Those that are being made. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #now: () => number;
  readonly #onChange: () => void;

  constructor(options: CertificateStoreOptions = {}) {
    for (const one of options.certificates ?? []) this.#certificates.set(one.name.toLowerCase(), one);
    this.#now = options.now ?? Date.now;
    this.#onChange = options.onChange ?? (() => undefined);
  }

  /**
   * Begins to make a certificate. A key takes a second of computing, and much longer on a busy machine, so nobody waits
   * for it here. `made` does.
   */
  create(name: string, policy: CertificatePolicy, tags?: Record<string, string>): void {
    const known = this.#certificates.get(name.toLowerCase());
    if (known?.deletedAt !== undefined) throw certificateIsDeleted(name);
    const key = name.toLowerCase();
    if (this.#making.has(key)) throw certificateIsBeingMade(name);
    const making = this.#make(name, policy, tags).finally(() => this.#making.delete(key));
    // Callers that wait for it learn of an error.
    making.catch(() => undefined);
    this.#making.set(key, making);
  }

  /** Resolves when no certificate of this name is being made. Rejects if it could not be made. */
  async made(name: string): Promise<void> {
    await this.#making.get(name.toLowerCase());
  }

  async #make(name: string, policy: CertificatePolicy, tags?: Record<string, string>): Promise<void> {
    const notBeforeDate = new Date(this.#now());
    const notAfterDate = new Date(notBeforeDate);
    notAfterDate.setUTCMonth(notAfterDate.getUTCMonth() + policy.validityMonths);
    const commonName = /^CN=(.+)$/i.exec(policy.subject)?.[1] ?? policy.subject;
    const made = await generate([{ name: 'commonName', value: commonName }], {
      keySize: policy.keySize,
      algorithm: 'sha256',
      notBeforeDate,
      notAfterDate,
    });
    const certificate: StoredCertificate = {
      name,
      version: randomBytes(16).toString('hex'),
      ...(tags && { tags }),
      policy,
      cer: made.cert.replace(/-----[A-Z ]+-----|\s/g, ''),
      keyPem: made.private,
      enabled: true,
      nbf: Math.floor(notBeforeDate.getTime() / 1000),
      exp: Math.floor(notAfterDate.getTime() / 1000),
      created: Math.floor(this.#now() / 1000),
    };
    this.#certificates.set(name.toLowerCase(), certificate);
    this.#onChange();
  }

  /** An empty `version` means the current one. */
  get(name: string, version: string): StoredCertificate {
    const found = this.#certificates.get(name.toLowerCase());
    if (!found || found.deletedAt !== undefined || (version !== '' && version !== found.version)) {
      throw certificateNotFound(name);
    }
    return found;
  }

  /** The key of a certificate, for signing. */
  key(name: string, version: string): { certificate: StoredCertificate; key: KeyObject } {
    const found = this.#certificates.get(name.toLowerCase());
    if (!found || found.deletedAt !== undefined || (version !== '' && version !== found.version)) {
      throw keyNotFound(name);
    }
    return { certificate: found, key: createPrivateKey(found.keyPem) };
  }

  sign(name: string, version: string, sign: (key: KeyObject) => Buffer): Buffer {
    const { certificate, key } = this.key(name, version);
    if (!certificate.enabled) throw keyIsDisabled();
    if (certificate.exp * 1000 <= this.#now()) throw keyIsExpired();
    return sign(key);
  }

  update(name: string, enabled: boolean | undefined): StoredCertificate {
    const found = this.get(name, '');
    if (enabled !== undefined) found.enabled = enabled;
    this.#onChange();
    return found;
  }

  delete(name: string): StoredCertificate {
    const found = this.get(name, '');
    found.deletedAt = this.#now();
    this.#onChange();
    return found;
  }

  getDeleted(name: string): StoredCertificate {
    const found = this.#certificates.get(name.toLowerCase());
    if (found?.deletedAt === undefined) throw deletedCertificateNotFound(name);
    return found;
  }

  purge(name: string): void {
    this.#certificates.delete(this.getDeleted(name).name.toLowerCase());
    this.#onChange();
  }

  list(): StoredCertificate[] {
    return this.all().filter(({ deletedAt }) => deletedAt === undefined);
  }

  /** Deleted ones included. */
  all(): StoredCertificate[] {
    return [...this.#certificates.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The secrets that the vault shows beside its certificates. */
  secrets(): StoredSecret[] {
    return this.list().map(({ name, version, tags, policy, enabled, nbf, exp, created }) => {
      const { contentType } = policy;
      const shown = { id: version, value: '', contentType, tags, enabled, nbf, exp, created, updated: created };
      return { name, versions: [shown], isManaged: true };
    });
  }
}
