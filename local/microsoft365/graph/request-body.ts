import type { ScenarioTenant } from '../scenario.ts';
import type { GraphBody, GraphCall } from './graph-call.ts';
import { messageTypeOf, sendMailParameters } from './message-type.ts';
import { forbiddenByMetadata } from './metadata-check.ts';
import { readMime } from './mime.ts';
import { exchangeError, frontDoorError, type GraphResponse } from './responses.ts';

/** The body that an operation takes: none, any JSON object, or what Graph's metadata describes. */
export type WantedBody = 'none' | 'json' | DescribedBody;

interface DescribedBody {
  holds: 'message' | 'sendMailParameters';
  /** Builds the body from a MIME message, if the operation accepts one. */
  fromMime?: (message: Record<string, unknown>) => Record<string, unknown>;
}

const isText = (contentType: string | undefined) => /^\s*text\/plain\b/i.test(contentType ?? '');

/** Reads a body as JSON, unless the content type is plain text. */
export function parseBody(text: string, contentType: string | undefined): GraphBody {
  if (text === '') return { kind: 'none' };
  if (isText(contentType)) return { kind: 'text', text };
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch {
    return { kind: 'text', text };
  }
}

/**
 * Checks the body, which Graph's front door does before any permission: docs/microsoft365.md, "Order of evaluation".
 * MIME is decoded here too, so an error for broken base64 does not prove that the app has a permission.
 */
export function readRequestBody(
  call: GraphCall,
  wanted: WantedBody,
  tenant: Pick<ScenarioTenant, 'cloud'>,
): { body: Record<string, unknown> } | { refused: GraphResponse } {
  const { body } = call;
  if (wanted === 'none') return { body: {} };
  if (body.kind === 'none') {
    return { refused: frontDoorError(call, 400, 'BadRequest', 'Empty Payload. JSON content expected.') };
  }
  if (typeof wanted === 'object' && wanted.fromMime && isText(call.header('content-type'))) {
    const text = body.kind === 'text' ? body.text : typeof body.value === 'string' ? body.value : '';
    const message = readMime(text);
    if (message !== 'malformed') return { body: wanted.fromMime(message) };
    const code = 'ErrorMimeContentInvalidBase64String';
    return { refused: exchangeError(400, code, 'Invalid base64 string for MIME content.') };
  }
  if (body.kind === 'json' && typeof body.value === 'object' && body.value !== null && !Array.isArray(body.value)) {
    const content = body.value as Record<string, unknown>;
    const forbidden = typeof wanted === 'object' ? forbiddenIn(content, wanted.holds, tenant) : undefined;
    return forbidden === undefined ? { body: content } : { refused: exchangeError(400, 'RequestBodyRead', forbidden) };
  }
  const message =
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.';
  return { refused: frontDoorError(call, 400, 'BadRequest', message) };
}

function forbiddenIn(
  content: Record<string, unknown>,
  holds: DescribedBody['holds'],
  tenant: Pick<ScenarioTenant, 'cloud'>,
): string | undefined {
  if (holds === 'message') return forbiddenByMetadata(content, messageTypeOf(tenant));
  const parameters = sendMailParameters(tenant);
  for (const [name, value] of Object.entries(content)) {
    const type = Object.hasOwn(parameters, name.toLowerCase()) ? parameters[name.toLowerCase()] : undefined;
    if (!type) {
      return `The parameter '${name}' in the request payload is not a valid parameter for the operation 'sendMail'.`;
    }
    const forbidden = forbiddenByMetadata(value, type);
    if (forbidden !== undefined) return forbidden;
  }
  return undefined;
}
