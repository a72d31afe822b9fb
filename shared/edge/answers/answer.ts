import type { HttpResponseInit } from '@azure/functions';
import { etagOf, isCached } from './etag.ts';

/** An answer with its JSON serialized once: the same text gets the tag, is stored and is sent. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Absent if the answer has no body or streams it. */
  text?: string;
  /** A streamed body. */
  stream?: NonNullable<HttpResponseInit['body']>;
}

export function toAnswer(init: HttpResponseInit): Answer {
  const headers = Object.fromEntries(new Headers((init.headers ?? {}) as Record<string, string>));
  const answer: Answer = { status: init.status ?? (hasBody(init) ? 200 : 204), headers };
  if (init.jsonBody !== undefined) {
    answer.text = JSON.stringify(init.jsonBody);
    headers['content-type'] ??= 'application/json';
  } else if (typeof init.body === 'string') answer.text = init.body;
  else if (init.body !== undefined && init.body !== null) answer.stream = init.body;
  return answer;
}

function hasBody(init: HttpResponseInit): boolean {
  return init.jsonBody !== undefined || (init.body !== undefined && init.body !== null);
}

/** Adds an `ETag` to a JSON answer, and answers 304 if the caller already has this representation. */
export function tagged(answer: Answer, request: { method: string; headers: Pick<Headers, 'get'> }): Answer {
  if (answer.text === undefined || answer.status >= 300) return answer;
  if (answer.headers['content-type'] !== 'application/json') return answer;
  answer.headers.etag ??= etagOf(answer.text);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead) answer.headers['cache-control'] ??= 'private, no-cache';
  if (!isRead || !isCached(request.headers.get('if-none-match'), answer.headers.etag)) return answer;
  const { 'content-type': _type, ...headers } = answer.headers;
  return { status: 304, headers };
}

/**
 * On every answer. Browsers must not guess another type, and must not come back without TLS.
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
 */
const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
};

export function toInit(answer: Answer, requestId: string): HttpResponseInit {
  const body = answer.text ?? answer.stream;
  return {
    status: answer.status,
    headers: { 'cache-control': 'no-store', ...answer.headers, ...securityHeaders, 'x-request-id': requestId },
    ...(body !== undefined && { body }),
  };
}
