import { randomUUID } from 'node:crypto';

/** One call of Graph's, on its own or as a part of a batch. */
export interface GraphCall {
  method: string;
  path: string;
  query: URLSearchParams;
  header(name: string): string | undefined;
  /** What the body said. */
  body: GraphBody;
  requestId: string;
  clientRequestId: string;
}

export type GraphBody =
  | { kind: 'none' }
  | { kind: 'json'; value: unknown }
  /** MIME in base64, or what should have been JSON and is not. */
  | { kind: 'text'; text: string };

export interface GraphAnswer {
  status: number;
  headers: Record<string, string>;
  body?: object | string | undefined;
  fate?: 'hang' | 'drop';
}

const outlookJson =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8';
export const plainJson = 'application/json';

export function outlookAnswer(status: number, body: object, headers: Record<string, string> = {}): GraphAnswer {
  return { status, headers: { 'Content-Type': outlookJson, ...headers }, body };
}

export const noContent = (status: 202 | 204): GraphAnswer => ({ status, headers: {} });

/** Exchange's errors of today carry only code and message. */
export function exchangeError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphAnswer {
  return outlookAnswer(status, { error: { code, message } }, headers);
}

/** The front door's and the directory's errors carry an `innerError`. */
export function frontDoorError(
  call: Pick<GraphCall, 'requestId' | 'clientRequestId'>,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphAnswer {
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

export function tooManyRequests(call: GraphCall, headers: Record<string, string>): GraphAnswer {
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

/** What stands on every answer of Graph's. */
export function commonHeaders(ids: { requestId: string; clientRequestId: string }): Record<string, string> {
  return {
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    'x-ms-ags-diagnostic': diagnostic,
    'Strict-Transport-Security': 'max-age=31536000',
    Vary: 'Accept-Encoding',
    'Cache-Control': 'no-store',
  };
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The answer's own id, and the caller's where it sent a GUID. */
export function idsOf(header: (name: string) => string | undefined): { requestId: string; clientRequestId: string } {
  const requestId = randomUUID();
  const sent = header('client-request-id');
  return { requestId, clientRequestId: sent && guid.test(sent) ? sent : requestId };
}
