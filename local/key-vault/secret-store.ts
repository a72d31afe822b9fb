import { randomBytes } from 'node:crypto';
import {
  deletedSecretNotFound,
  secretIsBeingDeleted,
  secretIsDeleted,
  secretIsDisabled,
  secretNotFound,
} from './vault-error.ts';

export interface SecretAttributes {
  contentType?: string | undefined;
  tags?: Record<string, string> | undefined;
  enabled?: boolean | undefined;
  /** In seconds since 1970, as are all times here unless stated. */
  nbf?: number | undefined;
  exp?: number | undefined;
}

export interface SecretVersion extends SecretAttributes {
  id: string;
  value: string;
  enabled: boolean;
  created: number;
  updated: number;
}

export interface StoredSecret {
  name: string;
  /** Oldest first. The last one is the current one. */
  versions: SecretVersion[];
  /** In milliseconds since 1970. Set while the secret is deleted and can be recovered. */
  deletedAt?: number | undefined;
  /** Belongs to a certificate, and is only listed. */
  isManaged?: boolean | undefined;
}

export interface SecretStoreOptions {
  secrets?: StoredSecret[];
  /** How long a deletion takes. Until then the name is taken, and not yet among the deleted secrets. Default 0. */
  deletionMs?: number;
  now?: () => number;
  /** The secrets of certificates. */
  managed?: () => StoredSecret[];
  /** Called after every change, before the caller gets its result. */
  onChange?: () => void;
}

/** Secrets with versions and soft delete. Names are not case-sensitive. A deleted name is taken until it is purged. */
export class SecretStore {
  readonly #secrets = new Map<string, StoredSecret>();
  readonly #deletionMs: number;
  readonly #now: () => number;
  readonly #managed: () => StoredSecret[];
  readonly #onChange: () => void;

  constructor(options: SecretStoreOptions = {}) {
    for (const secret of options.secrets ?? []) this.#secrets.set(secret.name.toLowerCase(), secret);
    this.#deletionMs = options.deletionMs ?? 0;
    this.#now = options.now ?? Date.now;
    this.#managed = options.managed ?? (() => []);
    this.#onChange = options.onChange ?? (() => undefined);
  }

  set(name: string, value: string, attributes: SecretAttributes): { secret: StoredSecret; version: SecretVersion } {
    const known = this.#secrets.get(name.toLowerCase());
    if (known?.deletedAt !== undefined) {
      throw this.#isDeleting(known) ? secretIsBeingDeleted(name) : secretIsDeleted(name);
    }
    const seconds = Math.floor(this.#now() / 1000);
    const id = randomBytes(16).toString('hex');
    const version = {
      ...attributes,
      id,
      value,
      enabled: attributes.enabled ?? true,
      created: seconds,
      updated: seconds,
    };
    const secret = known ?? { name, versions: [] };
    secret.versions.push(version);
    this.#secrets.set(name.toLowerCase(), secret);
    this.#changed();
    return { secret, version };
  }

  /** An empty `id` means the current version. */
  get(name: string, id: string): { secret: StoredSecret; version: SecretVersion } {
    const found = this.find(name, id);
    if (!found.version.enabled) throw secretIsDisabled();
    return found;
  }

  /** Like `get`, but returns disabled versions too. */
  find(name: string, id: string): { secret: StoredSecret; version: SecretVersion } {
    const secret = this.#secrets.get(name.toLowerCase());
    const version = id === '' ? secret?.versions.at(-1) : secret?.versions.find((one) => one.id === id);
    if (!secret || !version || secret.deletedAt !== undefined) throw secretNotFound(id === '' ? name : `${name}/${id}`);
    return { secret, version };
  }

  /** Changes only the attributes given, never the value. */
  update(name: string, id: string, attributes: SecretAttributes): { secret: StoredSecret; version: SecretVersion } {
    const found = this.find(name, id);
    const given = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
    Object.assign(found.version, given, { updated: Math.floor(this.#now() / 1000) });
    this.#changed();
    return found;
  }

  delete(name: string): StoredSecret {
    const secret = this.#secrets.get(name.toLowerCase());
    if (secret && this.#isDeleting(secret)) throw secretIsBeingDeleted(name);
    if (!secret || secret.deletedAt !== undefined) throw secretNotFound(name);
    secret.deletedAt = this.#now();
    this.#changed();
    return secret;
  }

  getDeleted(name: string): StoredSecret {
    const secret = this.#secrets.get(name.toLowerCase());
    if (secret?.deletedAt === undefined || this.#isDeleting(secret)) throw deletedSecretNotFound(name);
    return secret;
  }

  recover(name: string): StoredSecret {
    const secret = this.getDeleted(name);
    delete secret.deletedAt;
    this.#changed();
    return secret;
  }

  purge(name: string): void {
    this.#secrets.delete(this.getDeleted(name).name.toLowerCase());
    this.#changed();
  }

  list(): StoredSecret[] {
    return sorted([...this.all().filter((secret) => secret.deletedAt === undefined), ...this.#managed()]);
  }

  listDeleted(): StoredSecret[] {
    return this.all().filter((secret) => secret.deletedAt !== undefined && !this.#isDeleting(secret));
  }

  #isDeleting(secret: StoredSecret): boolean {
    return secret.deletedAt !== undefined && this.#now() < secret.deletedAt + this.#deletionMs;
  }

  /** Deleted ones included, without those of certificates. */
  all(): StoredSecret[] {
    return sorted([...this.#secrets.values()]);
  }

  #changed(): void {
    this.#onChange();
  }
}

function sorted(secrets: StoredSecret[]): StoredSecret[] {
  return secrets.sort((a, b) => (a.name < b.name ? -1 : 1));
}
