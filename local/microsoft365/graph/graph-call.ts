import { randomUUID } from 'node:crypto';

/** One Graph call: an HTTP request of its own, or one part of a batch. */
export interface GraphCall extends RequestIds {
  method: string;
  path: string;
  query: URLSearchParams;
  header(name: string): string | undefined;
  body: GraphBody;
  isBeta: boolean;
}

export interface RequestIds {
  requestId: string;
  clientRequestId: string;
}

export type GraphBody =
  | { kind: 'none' }
  | { kind: 'json'; value: unknown }
  /** MIME in base64, or invalid JSON. */
  | { kind: 'text'; text: string };

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A new request id. The client request id is the caller's own if it sent a GUID. */
export function createRequestIds(header: (name: string) => string | undefined): RequestIds {
  const requestId = randomUUID();
  const sent = header('client-request-id');
  return { requestId, clientRequestId: sent && guid.test(sent) ? sent : requestId };
}
