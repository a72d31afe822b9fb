/** One stream for two readers. */
export interface Tee {
  /** Drives: a piece goes on to it once the copy has taken the piece before. */
  source: AsyncIterable<Uint8Array>;
  /** Ends when `complete` is called, and fails when `fail` is. */
  copy: AsyncIterable<Uint8Array>;
  complete(): void;
  /** Makes both sides reject with this error; the first error counts. */
  fail(error: unknown): void;
}

/**
 * Hands a stream to a reader that judges it and to a copy that must not end before the judgement is made. Holds one
 * piece. When either side is slow, so is the other.
 */
export function createTee(body: AsyncIterable<Uint8Array>): Tee {
  let piece: Uint8Array | undefined;
  let isComplete = false;
  let failure: { error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();

  function changed(): void {
    wake.resolve();
    wake = Promise.withResolvers();
  }

  async function* source(): AsyncGenerator<Uint8Array> {
    for await (const next of body) {
      while (piece && !failure) await wake.promise;
      if (failure) throw failure.error;
      piece = next;
      changed();
      yield next;
    }
    if (failure) throw failure.error;
  }

  async function* copy(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure) throw failure.error;
      if (piece) {
        const next = piece;
        piece = undefined;
        changed();
        yield next;
      } else if (isComplete) return;
      else await wake.promise;
    }
  }

  return {
    source: source(),
    copy: copy(),
    complete() {
      isComplete = true;
      changed();
    },
    fail(error) {
      failure ??= { error };
      changed();
    },
  };
}
