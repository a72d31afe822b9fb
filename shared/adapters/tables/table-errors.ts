import { DomainError } from '../../kernel/errors.ts';

const RETRY_AFTER_SECONDS = 5;

/** Errors that say "not now" without an HTTP status: no connection, a connection that broke, no token to be had. */
const AWAY = new Set([
  'AbortError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
]);

/**
 * What to throw when a call of storage failed: `storage_unavailable` when storage is away, overloaded or broken, else
 * the error itself, which is a defect of ours.
 */
export function storageAway(error: unknown): unknown {
  if (error instanceof DomainError || !isAway(error)) return error;
  return new DomainError('storage_unavailable', 'Our storage does not answer just now. Please try again shortly.', {
    cause: error,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** Resolves to `undefined` where storage answers with one of these status codes. */
export async function unless<T>(call: Promise<T>, ...statusCodes: number[]): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusCodes.includes(statusOf(error) ?? 0) && codeOf(error) !== 'TableNotFound') return undefined;
    throw storageAway(error);
  }
}

export type TransactionFailure = { index: number; why: 'exists' | 'absent' | 'changed' };

/** Which part of a transaction met something it did not expect; `undefined` when it failed for another reason. */
export function transactionFailure(error: unknown): TransactionFailure | undefined {
  const why = WHY[statusOf(error) ?? 0];
  if (!why || codeOf(error) === 'TableNotFound') return undefined;
  // The index stands before the sentence: "3:The update condition specified in the request was not satisfied."
  const index = /^(\d+):/.exec((error as Error).message)?.[1];
  return index === undefined ? undefined : { index: Number(index), why };
}

const WHY: Record<number, TransactionFailure['why']> = { 404: 'absent', 409: 'exists', 412: 'changed' };

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error ? (error.statusCode as number | undefined) : undefined;
}

/** In transactions the SDK puts the code on the error, elsewhere into what it parsed of the body. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const { code, details } = error as { code?: string; details?: { odataError?: { code?: string } } };
  return code ?? details?.odataError?.code;
}

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (AWAY.has(error.name)) return true;
  const status = statusOf(error);
  if (status !== undefined) return status >= 500 || status === 429 || status === 408;
  return error.name === 'RestError';
}
