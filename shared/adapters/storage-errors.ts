import { DomainError } from '../kernel/errors.ts';

const RETRY_AFTER_SECONDS = 5;

/** Failures without an HTTP status that a retry may fix: no connection, a lost connection, no token for storage. */
const TRANSIENT_NAMES = new Set([
  'AbortError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
]);

/** Codes that mean the deployment is incomplete. Storage sends them with 404 and 409, like answers about one record. */
const MISSING_RESOURCE_CODES = new Set([
  'TableNotFound',
  'TableBeingDeleted',
  'ContainerNotFound',
  'ContainerBeingDeleted',
  'QueueNotFound',
  'QueueBeingDeleted',
]);

/**
 * Waits for a call of Azure Storage and translates its errors. Used for tables, blobs and queues alike.
 *
 * Rejects with `storage_unavailable` if storage is unreachable, overloaded or fails with a server error. Any other
 * error is a defect and is passed on unchanged, except that a missing table, container or queue gets a message that
 * says so.
 */
export async function translateStorageErrors<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toStorageError(error);
  }
}

/** The same for a stream: the connection may also break in the middle. */
export async function* translateStreamErrors<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw toStorageError(error);
  }
}

/**
 * Like `translateStorageErrors`, but resolves to `undefined` if storage answers with one of these HTTP statuses. A
 * missing table, container or queue is still an error.
 */
export async function undefinedOn<T>(statuses: readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0) && !isResourceMissing(error)) return undefined;
    throw toStorageError(error);
  }
}

/** The error to throw after a failed call of Azure Storage. */
export function toStorageError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  if (isResourceMissing(error)) {
    return new Error(`The storage account lacks a table, container or queue: ${codeOf(error)}`, { cause: error });
  }
  if (!isTransient(error)) return error;
  return new DomainError('storage_unavailable', 'Our storage is temporarily unavailable. Try again in a few seconds.', {
    cause: error,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

export function isResourceMissing(error: unknown): boolean {
  return MISSING_RESOURCE_CODES.has(codeOf(error) ?? '');
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** In most errors of the SDKs the code is a property. For single calls of tables it is in the parsed body. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, details } = error as { code?: string; details?: { odataError?: { code?: string } } };
  return code ?? details?.odataError?.code;
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (TRANSIENT_NAMES.has(error.name)) return true;
  const status = statusOf(error);
  if (status !== undefined) return status >= 500 || status === 429 || status === 408;
  return error.name === 'RestError';
}
