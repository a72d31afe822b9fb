import { DomainError } from '../../kernel/errors.ts';

/** Limits on an upload, and on one row of it. */
export interface UploadLimits {
  maxBytes: number;
  maxRows: number;
  recordMaxBytes: number;
  nameMaxLength: number;
}

/** Passes a stream through, and fails when it exceeds `maxBytes`. @throws DomainError `payload_too_large` */
export async function* limitBytes(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxBytes) throw fileTooLarge(maxBytes);
    yield chunk;
  }
}

export function fileTooLarge(maxBytes: number): DomainError {
  return new DomainError(
    'payload_too_large',
    `The file is larger than ${maxBytes} bytes. Split it into several files.`,
    { members: { maxBytes } },
  );
}

export function tooManyRows(maxRows: number): DomainError {
  return new DomainError(
    'payload_too_large',
    `The upload has more than ${maxRows} rows. Split it into several imports.`,
    { members: { maxRows } },
  );
}
