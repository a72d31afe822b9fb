import type { SecretVersion, StoredSecret } from './secret-store.ts';

const RECOVERABLE_DAYS = 90;
const DAY_SECONDS = 86_400;

function attributes(version: SecretVersion): object {
  return {
    enabled: version.enabled,
    ...(version.nbf !== undefined && { nbf: version.nbf }),
    ...(version.exp !== undefined && { exp: version.exp }),
    created: version.created,
    updated: version.updated,
    recoveryLevel: 'Recoverable+Purgeable',
    recoverableDays: RECOVERABLE_DAYS,
  };
}

function properties(version: SecretVersion): object {
  return {
    ...(version.contentType !== undefined && { contentType: version.contentType }),
    attributes: attributes(version),
    ...(version.tags && { tags: version.tags }),
  };
}

const secretId = (url: string, name: string) => `${url}/secrets/${name}`;

/** One version with its value: the body of `set` and `get`. */
export function presentSecret(url: string, { name }: StoredSecret, version: SecretVersion): object {
  return { value: version.value, id: `${secretId(url, name)}/${version.id}`, ...properties(version) };
}

/** One version without its value, for `update`, `recover` and the list of versions. */
export function presentVersion(url: string, { name }: StoredSecret, version: SecretVersion): object {
  return { id: `${secretId(url, name)}/${version.id}`, ...properties(version) };
}

/** One secret in the list. Its id names no version. */
export function presentItem(url: string, secret: StoredSecret): object {
  return {
    id: secretId(url, secret.name),
    ...properties(current(secret)),
    ...(secret.isManaged && { managed: true }),
  };
}

export function presentDeletedItem(url: string, secret: StoredSecret): object {
  return { ...deletion(url, secret), ...presentItem(url, secret) };
}

export function presentDeleted(url: string, secret: StoredSecret): object {
  return { ...deletion(url, secret), ...presentVersion(url, secret, current(secret)) };
}

function deletion(url: string, secret: StoredSecret): object {
  const deletedDate = Math.floor((secret.deletedAt ?? 0) / 1000);
  return {
    recoveryId: `${url}/deletedsecrets/${secret.name}`,
    deletedDate,
    scheduledPurgeDate: deletedDate + RECOVERABLE_DAYS * DAY_SECONDS,
  };
}

/** The newest version. Every secret has one. */
export function current(secret: StoredSecret): SecretVersion {
  const version = secret.versions.at(-1);
  if (!version) throw new Error(`${secret.name} has no version`);
  return version;
}
