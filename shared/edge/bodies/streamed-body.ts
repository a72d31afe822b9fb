import { ReadableStream } from 'node:stream/web';
import { DomainError } from '../../kernel/errors.ts';
import type { BodyHash } from './body-hash.ts';
import { within } from './slow-body.ts';

/** How long a sender may send nothing while we wait for more. */
const SILENCE_MAX_MS = 60_000;
/** The same once the answer is decided: a sender that has stopped sending must not wait for its answer. */
const DISCARD_SILENCE_MAX_MS = 5_000;

export interface StreamedBody {
  /** For the handler. Cancelling it keeps the connection open, so that the answer can still be sent. */
  stream: ReadableStream<Uint8Array>;
  /** The fingerprint of the whole body; `undefined` until the body has been read to its end. */
  fingerprint(): string | undefined;
  /** Reads and throws away the rest of the body. @throws DomainError `malformed_request` if the body does not end */
  drain(): Promise<void>;
  /** The same for a body that is refused, up to `maxBytes` and with less patience. */
  discardRest(maxBytes: number): Promise<void>;
}

/** Passes a request's body to a handler and computes its fingerprint on the way. */
export function streamBody(source: ReadableStream | null, hash: BodyHash | undefined): StreamedBody {
  const reader = source?.getReader();
  let digest: string | undefined;
  let isDone = false;

  async function next(silenceMaxMs: number): Promise<Uint8Array | undefined> {
    if (isDone) return undefined;
    const read = reader && within(reader.read(), silenceMaxMs);
    const result = await read?.catch((cause: unknown) => {
      isDone = true;
      if (cause instanceof DomainError) throw cause;
      throw new DomainError('malformed_request', 'The connection closed before the whole body arrived.', { cause });
    });
    if (result && !result.done) {
      hash?.update(result.value);
      return result.value;
    }
    isDone = true;
    digest = hash?.digest();
    return undefined;
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await next(SILENCE_MAX_MS);
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      // Cancelling the source would destroy the socket before the answer is sent.
      cancel: () => undefined,
    },
    { highWaterMark: 0 },
  );

  async function discard(maxBytes: number, silenceMaxMs: number): Promise<void> {
    let discarded = 0;
    while (discarded <= maxBytes) {
      const chunk = await next(silenceMaxMs);
      if (!chunk) return;
      discarded += chunk.length;
    }
  }

  return {
    stream,
    fingerprint: () => digest,
    drain: () => discard(Number.POSITIVE_INFINITY, SILENCE_MAX_MS),
    discardRest: (maxBytes) => discard(maxBytes, DISCARD_SILENCE_MAX_MS),
  };
}
