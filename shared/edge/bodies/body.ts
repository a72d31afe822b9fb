import type { HttpRequest } from '@azure/functions';
import { DomainError } from '../../kernel/errors.ts';
import { DEPTH_MAX, findJsonFault, isNestedTooDeeply } from './json-faults.ts';
import { withDeadline } from './slow-body.ts';

/** How much of a refused body is read and thrown away. Most clients read the answer only after they have sent all. */
const DRAIN_MAX_BYTES = 64 * 1024 * 1024;

/** How long a JSON body may take to arrive. Shorter than the lock of its `Idempotency-Key`. */
const ARRIVAL_MAX_MS = 60_000;

/** What is read of a request; its body may be any stream of bytes. */
interface JsonRequest {
  headers: Pick<HttpRequest['headers'], 'get'>;
  body: AsyncIterable<Uint8Array> | null;
}

/**
 * Reads a JSON body of at most `maxBytes`; `undefined` if there is none. Never holds more in memory, whatever the
 * headers claim.
 *
 * @throws DomainError `payload_too_large`, `unsupported_media_type`, `malformed_request`
 */
export async function readJson(
  request: JsonRequest,
  maxBytes: number,
  withinMs = ARRIVAL_MAX_MS,
): Promise<{ value: unknown; bytes: Uint8Array } | undefined> {
  const bytes = await readBytes(request, maxBytes, withinMs);
  if (bytes.length === 0) return undefined;
  const type = mediaType(request.headers.get('content-type'));
  if (type !== undefined && type !== 'application/json' && !/^application\/[^/]+\+json$/.test(type)) {
    throw new DomainError('unsupported_media_type', 'Send the body as application/json.');
  }
  return { value: parseJson(bytes), bytes };
}

/** @throws DomainError `malformed_request` if the bytes are not UTF-8, not JSON, or JSON that programs read differently */
export function parseJson(bytes: Uint8Array): unknown {
  // The errors quote the input, which may contain a secret, so they are not passed on as causes.
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('malformed_request', 'The body is not valid UTF-8.');
  }
  if (isNestedTooDeeply(text)) {
    throw new DomainError('malformed_request', `The body is nested too deeply. Use at most ${DEPTH_MAX} levels.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DomainError('malformed_request', 'The body is not valid JSON.');
  }
  const fault = findJsonFault(text);
  if (fault) throw new DomainError('malformed_request', fault);
  return value;
}

/** `text/csv; charset=utf-8` becomes `text/csv`. */
export function mediaType(header: string | null): string | undefined {
  return header?.split(';')[0]?.trim().toLowerCase() || undefined;
}

async function readBytes(request: JsonRequest, maxBytes: number, withinMs: number): Promise<Uint8Array> {
  const declaredLength = Number(request.headers.get('content-length') ?? 0);
  if (!request.body) {
    if (declaredLength > maxBytes) throw tooLarge(maxBytes);
    return new Uint8Array();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isTooLarge = declaredLength > maxBytes;
  const arriving = withDeadline(request.body[Symbol.asyncIterator](), withinMs);
  try {
    for await (const chunk of arriving) {
      length += chunk.length;
      isTooLarge ||= length > maxBytes;
      if (isTooLarge) chunks.length = 0;
      else chunks.push(chunk);
      if (length > DRAIN_MAX_BYTES) break;
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new DomainError('malformed_request', 'The connection closed before the whole body arrived.', { cause });
  }
  if (isTooLarge) throw tooLarge(maxBytes);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError('payload_too_large', `The body is too large. Send at most ${maxBytes} bytes.`);
}
