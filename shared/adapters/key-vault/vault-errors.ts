import { DomainError } from '../../kernel/errors.ts';

const RETRY_AFTER_SECONDS = 10;

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** A disabled secret or key has the status of a missing right, which waiting can help. Only the inner code tells them apart. */
export function isDisabled(error: unknown): boolean {
  const { details } = error as { details?: { error?: { innerError?: { code?: unknown } } } };
  const code = details?.error?.innerError?.code;
  return statusOf(error) === 403 && (code === 'SecretDisabled' || code === 'KeyDisabled');
}

export async function translateVaultErrors<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toVaultError(error);
  }
}

/** The vault's answers that waiting can help. 404 and 409 come in the seconds after a deletion. */
const TRANSIENT = new Set([401, 403, 404, 408, 409, 429]);

/** Keeps only the name and message: the SDK's error contains the request, and so the secret. */
export function toVaultError(error: unknown): unknown {
  const status = statusOf(error);
  const { name, message } = error as Error;
  const cause = new Error(`${name} ${status ?? 'no response'}: ${message}`);
  if (status !== undefined && status < 500 && !TRANSIENT.has(status)) return cause;
  return new DomainError('vault_unavailable', 'Our key vault is temporarily unavailable. Try again in a few seconds.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
