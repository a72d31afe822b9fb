/** One stream for two readers: the parser, and the store that keeps a copy. */
interface DuplicatedStream {
  /** Pulls from the source. The parser gets a chunk after the store has taken the previous one. */
  forParser: AsyncIterable<Uint8Array>;
  /** Ends after `complete` is called. Fails after `fail` is called. */
  forStore: AsyncIterable<Uint8Array>;
  complete(): void;
  /** Makes both streams reject with this error. Only the first call has an effect. */
  fail(error: unknown): void;
}

/**
 * Duplicates a stream, so that the store can keep a copy while the parser decides whether the upload is valid. The copy
 * must not end before that decision: the store would keep an upload that is refused at its last line.
 *
 * Holds one chunk. The slower reader slows down the other one.
 */
export function duplicateStream(source: AsyncIterable<Uint8Array>): DuplicatedStream {
  /** Taken by the parser, not yet by the store. */
  let pending: Uint8Array | undefined;
  let isComplete = false;
  let failure: { error: unknown } | undefined;
  let change = Promise.withResolvers<void>();

  function notify(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  async function* readForParser(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      while (pending && !failure) await change.promise;
      if (failure) throw failure.error;
      pending = chunk;
      notify();
      yield chunk;
    }
    if (failure) throw failure.error;
  }

  async function* readForStore(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure) throw failure.error;
      if (pending) {
        const chunk = pending;
        pending = undefined;
        notify();
        yield chunk;
      } else if (isComplete) return;
      else await change.promise;
    }
  }

  return {
    forParser: readForParser(),
    forStore: readForStore(),
    complete() {
      isComplete = true;
      notify();
    },
    fail(error) {
      failure ??= { error };
      notify();
    },
  };
}
