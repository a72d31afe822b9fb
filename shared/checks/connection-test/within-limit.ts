import { type CauseCode, causes } from '../../causes/causes.ts';
import { DomainError } from '../../kernel/errors.ts';

/** A part of a test that gave no answer: throttled, unavailable, or not in time. */
export interface NoAnswer {
  cause: Extract<CauseCode, 'throttled' | 'microsoft_unavailable' | 'vault_unavailable'>;
  detail: string;
  retryAfterSeconds: number;
}

export type Answered<T> = { answered: true; value: T } | { answered: false; why: NoAnswer };

/** When nobody has named a time. */
const RETRY_AFTER_SECONDS = 10;

const causeOfError = {
  microsoft_throttled: 'throttled',
  microsoft_unavailable: 'microsoft_unavailable',
  vault_unavailable: 'vault_unavailable',
} as const;

function isNoAnswer(code: string): code is keyof typeof causeOfError {
  return Object.hasOwn(causeOfError, code);
}

/**
 * Waits for the answer to one question, for a limited time. That a service is throttled, unavailable or slow is an
 * answer. Any other error is thrown.
 *
 * After the time limit, the work goes on, so that it can clean up, but nobody waits for it.
 */
export async function withinLimit<T>(limitMs: number, work: Promise<T>): Promise<Answered<T>> {
  const { promise: timeout, resolve } = Promise.withResolvers<Answered<T>>();
  const seconds = Math.round(limitMs / 1000);
  const timer = setTimeout(
    () =>
      resolve({
        answered: false,
        why: {
          cause: 'microsoft_unavailable',
          detail: `Microsoft did not answer within ${seconds} seconds.`,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        },
      }),
    limitMs,
  );
  const answer = work.then(
    (value): Answered<T> => ({ answered: true, value }),
    (error: unknown): Answered<T> => {
      if (!(error instanceof DomainError) || !isNoAnswer(error.code)) throw error;
      const cause = causeOfError[error.code];
      const retryAfterSeconds = error.retryAfterSeconds ?? RETRY_AFTER_SECONDS;
      return { answered: false, why: { cause, detail: causes[cause].sentence, retryAfterSeconds } };
    },
  );
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
    // It may still fail after the time limit.
    answer.catch(() => undefined);
  }
}
