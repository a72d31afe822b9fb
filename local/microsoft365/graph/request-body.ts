import { exchangeError, frontDoorError, type GraphAnswer, type GraphBody, type GraphCall } from './answers.ts';
import { readMime } from './mime.ts';

/** What an operation takes: nothing, a JSON object, or a message that may come as MIME instead. */
export type WantedBody = 'none' | 'json' | { mimeAs: (message: Record<string, unknown>) => Record<string, unknown> };

const isText = (contentType: string | undefined) => /^\s*text\/plain\b/i.test(contentType ?? '');

/** What was sent; JSON unless the request calls it plain text. */
export function bodyOf(text: string, contentType: string | undefined): GraphBody {
  if (text === '') return { kind: 'none' };
  if (isText(contentType)) return { kind: 'text', text };
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch {
    return { kind: 'text', text };
  }
}

/**
 * Step 3 of the order of evaluation: the front door reads the body before anybody asks who may do what. MIME is decoded
 * here as well, so that broken base64 proves nothing about a permission.
 */
export function readRequestBody(
  call: GraphCall,
  wanted: WantedBody,
): { body: Record<string, unknown> } | { refused: GraphAnswer } {
  const { body } = call;
  if (wanted === 'none') return { body: {} };
  if (body.kind === 'none') {
    return { refused: frontDoorError(call, 400, 'BadRequest', 'Empty Payload. JSON content expected.') };
  }
  if (typeof wanted === 'object' && isText(call.header('content-type'))) {
    const text = body.kind === 'text' ? body.text : typeof body.value === 'string' ? body.value : '';
    const message = readMime(text);
    if (message !== 'malformed') return { body: wanted.mimeAs(message) };
    const code = 'ErrorMimeContentInvalidBase64String';
    return { refused: exchangeError(400, code, 'Invalid base64 string for MIME content.') };
  }
  if (body.kind === 'json' && typeof body.value === 'object' && body.value !== null && !Array.isArray(body.value)) {
    return { body: body.value as Record<string, unknown> };
  }
  const message =
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.';
  return { refused: frontDoorError(call, 400, 'BadRequest', message) };
}
