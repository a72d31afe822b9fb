import type { GraphCall, RequestIds } from './graph-call.ts';

export interface GraphResponse {
  status: number;
  headers: Record<string, string>;
  body?: object | string | undefined;
  /** Nothing is sent: the connection stays open without a reply, or is closed. */
  noReply?: 'hang' | 'drop';
}

const outlookJson =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8';
export const plainJson = 'application/json';

export function outlookResponse(status: number, body: object, headers: Record<string, string> = {}): GraphResponse {
  return { status, headers: { 'Content-Type': outlookJson, ...headers }, body };
}

export const noContent = (status: 202 | 204): GraphResponse => ({ status, headers: {} });

/** Exchange errors have only a code and a message. */
export function exchangeError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphResponse {
  return outlookResponse(status, { error: { code, message } }, headers);
}

/** Errors of Graph's front door and of the directory also have an `innerError`. */
export function frontDoorError(
  call: RequestIds,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphResponse {
  const innerError = {
    date: new Date().toISOString().slice(0, 19),
    'request-id': call.requestId,
    'client-request-id': call.clientRequestId,
  };
  return {
    status,
    headers: { 'Content-Type': plainJson, ...headers },
    body: { error: { code, message, innerError } },
  };
}

export function tooManyRequests(call: GraphCall, headers: Record<string, string>): GraphResponse {
  const innerError = {
    code: '429',
    date: new Date().toISOString().slice(0, 19),
    message: 'Please retry after',
    'request-id': call.requestId,
    status: '429',
  };
  return {
    status: 429,
    headers: { 'Content-Type': plainJson, ...headers },
    body: { error: { code: 'TooManyRequests', innerError, message: 'Please retry again later.' } },
  };
}

const diagnostic = JSON.stringify({
  ServerInfo: {
    DataCenter: 'Canada East',
    Slice: 'E',
    Ring: '2',
    ScaleUnit: '001',
    RoleInstance: 'QB1PEPF0000111E',
  },
});

/** The headers of every Graph response. */
export function commonHeaders(ids: RequestIds): Record<string, string> {
  return {
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    'x-ms-ags-diagnostic': diagnostic,
    'Strict-Transport-Security': 'max-age=31536000',
    Vary: 'Accept-Encoding',
    'Cache-Control': 'no-store',
  };
}
