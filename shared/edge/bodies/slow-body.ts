import { DomainError } from '../../kernel/errors.ts';

/** Passes chunks on until `withinMs` have passed. @throws DomainError `malformed_request` if the body takes longer */
export async function* withDeadline(
  chunks: AsyncIterator<Uint8Array>,
  withinMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const endsAt = performance.now() + withinMs;
  let isWaiting = false;
  try {
    for (;;) {
      isWaiting = true;
      const next = await within(chunks.next(), endsAt - performance.now());
      isWaiting = false;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // A source that is still waiting for its sender would only end after it.
    if (!isWaiting) await chunks.return?.();
  }
}

/** Waits for the next part of a body. @throws DomainError `malformed_request` if it does not arrive within `ms` */
export async function within<T>(part: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), Math.max(0, ms));
  });
  try {
    return await Promise.race([part, late]);
  } finally {
    clearTimeout(timer);
    // It may still fail, after nobody waits for it any more.
    part.catch(() => undefined);
  }
}

function tooSlow(): DomainError {
  return new DomainError('malformed_request', 'The body arrives too slowly. Send it again over a faster connection.');
}
