import type { IncomingMessage, ServerResponse } from 'node:http';
import { serializeCookie } from './cookies.ts';
import type { InvocationResponse, Nullable, TypedData } from './core-types.ts';
import { headerValues, queryValues } from './http-message.ts';

/** A request as it is sent to a worker without HTTP streaming. */
export function toRpcRequest(
  req: IncomingMessage,
  url: URL,
  params: Record<string, string>,
  bytes: Buffer | undefined,
): TypedData {
  return {
    http: {
      method: req.method ?? 'GET',
      url: url.href,
      nullableHeaders: nullable(headerValues(req.headers)),
      nullableParams: nullable(params),
      nullableQuery: nullable(queryValues(url.searchParams)),
      ...(bytes ? { body: { bytes } } : {}),
    },
  };
}

function nullable(values: Record<string, string>): Record<string, Nullable> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

/** Sends the worker's response, or 204 if there is none. */
export function sendRpcResponse(res: ServerResponse, response: InvocationResponse): void {
  const http = response.returnValue?.http;
  if (!http) {
    res.writeHead(204).end();
    return;
  }
  const body = Buffer.from(http.body?.bytes ?? http.body?.string ?? '');
  for (const [name, value] of Object.entries(http.headers ?? {})) res.setHeader(name, value);
  const cookies = (http.cookies ?? []).map(serializeCookie);
  if (cookies.length > 0) res.setHeader('set-cookie', cookies);
  const status = Number(http.statusCode ?? 200);
  if (![204, 205, 304].includes(status)) res.setHeader('content-length', body.length);
  res.writeHead(status).end(body);
}
