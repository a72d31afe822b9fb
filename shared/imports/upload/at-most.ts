import { DomainError } from '../../kernel/errors.ts';

/** Passes a stream on until it has given more than `maxBytes`. @throws DomainError `payload_too_large` */
export async function* atMost(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new DomainError('payload_too_large', `The file is larger than ${maxBytes} bytes. Split it into several.`, {
        members: { maxBytes },
      });
    }
    yield chunk;
  }
}
