import { ReadableStream } from 'node:stream/web';
import { DomainError } from '../kernel/errors.ts';
import type { BodyHash } from './body-hash.ts';

export interface StreamedBody {
  /** For the handler. Giving it up does not break the connection, on which the answer has yet to go out. */
  stream: ReadableStream<Uint8Array>;
  /** The fingerprint of the whole body, once it has been read to its end. */
  fingerprint(): string | undefined;
  /** Reads on to the end, or until so many bytes have been thrown away. */
  discardRest(maxBytes: number): Promise<void>;
}

/** A request's body on its way to a handler, fingerprinted as it passes. */
export function streamBody(source: ReadableStream | null, hash: BodyHash | undefined): StreamedBody {
  const reader = source?.getReader();
  let digest: string | undefined;
  let isDone = false;

  async function next(): Promise<Uint8Array | undefined> {
    if (isDone) return undefined;
    const result = await reader?.read().catch((cause: unknown) => {
      isDone = true;
      throw new DomainError('malformed_request', 'The body broke off.', { cause });
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
        const chunk = await next();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      // Cancelling the source would destroy the socket before the caller is told why.
      cancel: () => undefined,
    },
    { highWaterMark: 0 },
  );

  return {
    stream,
    fingerprint: () => digest,
    async discardRest(maxBytes) {
      let discarded = 0;
      while (discarded <= maxBytes) {
        const chunk = await next();
        if (!chunk) return;
        discarded += chunk.length;
      }
    },
  };
}
